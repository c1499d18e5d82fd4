"""The weights that come with the project: small, what their card says, found where none are named."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.export import build_generator
from tempseg_mm.apis.inferencer.loading import default_config, load_segmenter, weights_to_start_from
from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.datasets.synthetic.dataset import SyntheticVOSDataset
from tempseg_mm.evaluation.vos_metric import VOSMetric
from tempseg_mm.models.generator_weights import read_metadata

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / 'weights/tempseg_davis_mobilenet.safetensors'
CARD = ROOT / 'weights/README.md'
# A section of the card, and what must stand in it.
SECTIONS = {
    'Data': r'DAVIS', 'Licence': r'DAVIS', 'How it was made': r'tempseg-train configs/', 'Numbers': r'\bJ\b.*0\.\d\d',
}

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f'{FILE.relative_to(ROOT)} is not in this checkout')


def section(title):
    found = re.search(rf'^## {title}\n(.*?)(?=^## |\Z)', CARD.read_text(encoding='utf-8'), re.DOTALL | re.MULTILINE)
    assert found, f'{CARD.name} has no section "## {title}"'
    return found[1]


def test_it_is_small_and_holds_the_generator_alone():
    assert FILE.stat().st_size <= 10e6
    tensors = load_file(FILE)
    assert tensors and all(name.startswith('generator.') for name in tensors)
    assert all(value.isfinite().all() for value in tensors.values())
    # A tensor beyond the range of float16 stays whole.
    assert [name for name, value in tensors.items() if value.dtype == torch.float32 and value.abs().max() < 65504] == []


def test_it_fits_the_config_that_it_names():
    config = ROOT / 'configs' / read_metadata(FILE)['config']
    model = build_generator(load_config(str(config)), str(FILE))
    frames, references = torch.randint(0, 256, (1, 3, 33, 47)).float(), torch.zeros(1, 1, 33, 47)
    with torch.no_grad():
        probabilities = model.predict(frames, references)
    assert probabilities.shape == (1, 1, 33, 47) and probabilities.isfinite().all()


def test_it_is_found_where_no_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = default_config()
    assert weights_to_start_from(cfg) == str(FILE)
    build_generator(cfg, str(FILE))


def test_each_of_two_objects_is_found_as_well_as_it_is_alone(tmp_path):
    scene = dict(num_frames=5, height=96, width=160, occluders=0, distractors=1, similarity=0)
    data = SyntheticVOSDataset(tmp_path / 'two', 'test', seed=2, num_sequences=dict(test=1), all_objects=True,
                               test_mode=True, scene=scene)
    sequence = data[0]['sequence']
    segmenter = load_segmenter(default_config(), str(FILE), steps=0).segmenter

    def scores(objects):
        metric = VOSMetric(measures=('J',))
        metric.process(None, [*segmenter.segment(AnnotatedSequence(replace(sequence, objects=objects), 1))])
        metric.evaluate(1)
        return metric.scores.sequences[sequence.name]['J']
    together = scores('apart')['objects']
    for object_id in (1, 2):
        alone = scores(object_id)['mean']
        assert alone > 0.6 and abs(together[str(object_id)]['mean'] - alone) < 0.02


@pytest.mark.parametrize('title, wanted', SECTIONS.items(), ids=SECTIONS)
def test_the_card_says_what_it_must(title, wanted):
    text = section(title)
    assert len(text.split()) >= 5
    assert re.search(wanted, text, re.DOTALL), f'"## {title}" of {CARD.name} must hold {wanted!r}'


def test_the_card_names_the_commit_and_a_config_that_is_there():
    text = section('How it was made')
    assert re.search(r'\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b', text), 'the commit, seven digits of it or more'
    configs = re.findall(r'configs/[\w/]+\.py', text)
    assert configs and [name for name in configs if not (ROOT / name).is_file()] == []
