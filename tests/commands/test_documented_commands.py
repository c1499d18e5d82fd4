"""Every command of the pages: pasted as it stands it is found, its arguments are taken, its config loads; what needs
neither data nor the network runs, page by page in a fresh folder, made small.
"""

import re
import shlex
import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from mmengine.config import Config

from tempseg_mm.apis.config import load_config
from tempseg_mm.datasets.synthetic.dataset import write_davis_layout
from tempseg_mm.datasets.synthetic.draw import SceneParams

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*(ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'weights/README.md')),
         *sorted((ROOT / 'docs').rglob('*.md'))]
COMMANDS = sorted(path.stem for path in (ROOT / 'tempseg_mm/commands').glob('*.py')
                  if 'def main(' in path.read_text(encoding='utf-8'))
PROGRAMS = {'python', 'pip', 'pytest', 'ruff', 'pre-commit', 'tensorboard', 'torchrun'}
START = re.compile(r'(?:[A-Z_]+=\S+ )*\.venv/bin/(\S+)')
OTHER = ('export ', '.ci/run', 'python3 -m venv .venv && .venv/bin/pip install ')

SMALL = ['data_root=data/small', 'num_sequences={"train": 2, "test": 1}', 'scene.num_frames=6', 'scene.height=32',
         'scene.width=48', 'size=None']
DATA = [f'{part}_dataloader.dataset.{option}' for part in ('train', 'test') for option in SMALL]
RUN_SMALL = ['model.width=0.0625', 'train_dataloader.num_workers=0', 'train_dataloader.batch_size=2',
             'train_cfg.max_iters=2', 'default_hooks.finetune.finetuner.steps=1']
MORE = dict(
    train=['--device', 'cpu', '--cfg-options', *DATA, *RUN_SMALL],
    test=['--device', 'cpu', '--cfg-options', *DATA, *RUN_SMALL],
    tune_crf=['--device', 'cpu', '--trials', '2', '--workers', '1', '--cfg-options', *DATA, *RUN_SMALL],
    export=['--cfg-options', *DATA, 'model.width=0.0625'],
    make_synthetic=['--frames', '8', '--train-sequences', '1', '--test-sequences', '1'],
    segment=['--steps', '1', '--device', 'cpu'],
    eval_flow=['--cfg-options', *DATA], precompute_flow=['--workers', '0', '--cfg-options', *DATA],
    evaluate=[], doctor=['--data', 'none'], check_dataset=['--cfg-options', *DATA])
# A config laid out by hand takes a fifth of a second, twice a run, and nobody reads it here.
PLAIN = property(lambda cfg: ''.join(f'{name} = {value!r}\n' for name, value in cfg.to_dict().items()))
NEEDS_NOTHING = re.compile(r'configs/tempseg_(pp_)?synthetic|data/try|dog\.mp4|tempseg-make-synthetic|tempseg-doctor')
NEEDS_MORE = re.compile(r'my_project|tempseg-annotate|--checkpoint work_dirs|torchrun|tensorboard')


def lines_of(page):
    """The shell lines of the fenced blocks of a page, continued ones joined, without what is said beside them."""
    blocks = re.findall(r'^```bash\n(.*?)^```$', page.read_text(encoding='utf-8'), re.DOTALL | re.MULTILINE)
    text = ''.join(blocks).replace('\\\n', ' ')
    return [' '.join(re.sub(r'\s+# .*', '', line).split()) for line in text.splitlines() if line.strip(' #')]


def is_ours(line):
    """Whether a line starts one of our commands, as (module, arguments)."""
    found = START.match(line)
    module = found and found.group(1).removeprefix('tempseg-').replace('-', '_')
    return (module, shlex.split(line)[len(shlex.split(found.group())):]) if module in COMMANDS else None


LINES = [(page.relative_to(ROOT), line) for page in PAGES for line in lines_of(page)]
OURS = [pytest.param(*is_ours(line), id=f'{page}: {line}') for page, line in LINES if is_ours(line)]
PAGES_THAT_RUN = sorted({page for page, line in LINES
                         if is_ours(line) and NEEDS_NOTHING.search(line) and not NEEDS_MORE.search(line)})


@pytest.mark.parametrize('page, line', LINES, ids=[f'{page}: {line}' for page, line in LINES])
def test_works_when_it_is_pasted(page, line):
    """One form: programs by their place in the environment that the first command makes."""
    start = START.match(line)
    assert start or line.startswith(OTHER), f'{line!r} is not found by a shell in the folder of the checkout'
    assert not start or start.group(1) in PROGRAMS or is_ours(line), f'there is no {start.group(1)}'


@pytest.mark.parametrize('module, arguments', OURS)
def test_its_arguments_are_taken(module, arguments, monkeypatch):
    for name in ('TEMPSEG_DAVIS_ROOT', 'TEMPSEG_IMAGENET_WEIGHTS', 'TEMPSEG_IMAGENET_ROOT'):
        monkeypatch.setenv(name, 'somewhere')
    monkeypatch.setenv('TEMPSEG_BASE', 'tempseg_synthetic')
    args = import_module(f'tempseg_mm.commands.{module}').make_parser().parse_args(arguments)
    config = getattr(args, 'config', None)
    if config and config.startswith('configs/'):
        load_config(config, options=args.cfg_options if 'cfg_options' in args else None)


@pytest.fixture(scope='module')
def after_the_first_command(tmp_path_factory):
    """A folder with a training of configs/tempseg_synthetic.py, a video and its mask."""
    folder = tmp_path_factory.mktemp('first')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(Config, 'pretty_text', PLAIN)
        import_module('tempseg_mm.commands.train').main(['configs/tempseg_synthetic.py', *MORE['train']])
        make_dog()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize('page', PAGES_THAT_RUN, ids=str)
def test_what_needs_nothing_runs(page, after_the_first_command, tmp_path, monkeypatch, capsys):
    shutil.copytree(after_the_first_command, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Config, 'pretty_text', PLAIN)
    ran = 0
    for line in lines_of(ROOT / page):
        if is_ours(line) and NEEDS_NOTHING.search(line) and not NEEDS_MORE.search(line):
            module, arguments = is_ours(line)
            if module == 'run_table':
                continue  # rows by the dozen: tests/paper_tables
            if re.search('crf|pp_', line) and find_spec('pydensecrf') is None:
                continue  # Python 3.13 has it only where it was built by hand
            try:
                import_module(f'tempseg_mm.commands.{module}').main([*arguments, *MORE[module]])
            except SystemExit as end:
                pytest.fail(f'{line}: {end}\n{capsys.readouterr().err}', pytrace=False)
            ran += 1
    assert ran


def make_dog():
    """dog.mp4, of a size that the boxes of the pages lie in, and its masks by the names that pages give them."""
    scene = SceneParams(num_frames=8, height=240, width=360, occluders=0, distractors=0)
    write_davis_layout('drawn', scene=scene, seed=0, num_sequences=dict(test=1), videos=True)
    shutil.copy('drawn/Videos/240p/test_000.mp4', 'dog.mp4')
    masks, = Path('drawn/Annotations').glob('*/test_000')
    for name in ('dog_first_frame.png', 'dog_first.png', 'first.png'):
        shutil.copy(masks / '00000.png', name)
    shutil.copy(masks / '00005.png', 'dog_at_5.png')
