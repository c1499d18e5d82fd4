"""Text on the command line of every tool with a config arrives as typed."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {'train': '', 'test': 'none', 'tune_crf': 'none --out crf.py', 'check_dataset': '', 'eval_flow': '',
         'precompute_flow': '--cache-dir flow --workers 0'}


@pytest.fixture
def call(command, tiny_config, tmp_path, monkeypatch, capsys):
    """Runs a tool on the tiny config with overrides for the data of both parts; gives all that it says in the end."""
    data = dict(_delete_=True, type='DAVISDataset', data_root='gone', split='test', resolution='32p')
    parts = {f'{part}_dataloader.dataset': dict(data, test_mode=part == 'test', clip_sampler=dict(clip_length=3))
             for part in ('train', 'test')}
    tiny_config(**parts).dump(tmp_path / 'tiny.py')
    monkeypatch.chdir(tmp_path)

    def run(tool, **options):
        typed = [f'{part}_dataloader.dataset.{key}={value}' for part in ('train', 'test')
                 for key, value in options.items()]
        try:
            command(tool, 'tiny.py', *TOOLS[tool].split(), '--cfg-options', *typed)
        except SystemExit as error:
            return f'{error} {"".join(capsys.readouterr())}'
        return ''.join(capsys.readouterr())
    return run


@pytest.mark.parametrize('tool', list(TOOLS))
def test_a_path_keeps_its_spaces_and_commas_and_a_split_its_digits(call, synthetic_root, tmp_path, tool):
    for other in ('mydata,1', 'my'):  # what the path would be without its space, or cut at it
        shutil.copytree(synthetic_root, tmp_path / other)
    said = call(tool, data_root=f'{tmp_path}/my data,1')
    assert f'{tmp_path}/my data,1' in said and ('is not a folder' in said or 'missing' in said)
    shutil.copytree(synthetic_root, tmp_path / 'my data,1')
    said = call(tool, data_root=f'{tmp_path}/my data,1', split='2016')
    assert "unknown split '2016'" in said or '2016' in said and 'split' in said


@pytest.mark.parametrize('tool', list(TOOLS))
def test_a_sequence_of_a_list_keeps_its_spaces(call, synthetic_root, tmp_path, tool):
    shutil.copytree(synthetic_root, tmp_path / 'data')
    said = call(tool, data_root='data', sequences='my dog,test_000')
    assert "'my dog'" in said or 'my dog' in said


@pytest.mark.parametrize('tool', list(TOOLS))
def test_what_is_no_such_value_ends_with_a_sentence(call, tool):
    said = call(tool, test_mode='perhaps')
    assert 'dataset.test_mode=perhaps cannot be read: expected True or False' in said and 'Traceback' not in said
