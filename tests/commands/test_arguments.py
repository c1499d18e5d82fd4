import re

import pytest

from tempseg_mm.commands.arguments import config_from, runner_parser, typed
from tempseg_mm.settings.overrides import SettingError


def test_help_holds_description_options_and_examples(capsys):
    with pytest.raises(SystemExit):
        runner_parser('train', 'What it does.', '  %(prog)s a.py').parse_args(['--help'])
    text = capsys.readouterr().out
    assert 'What it does.' in text and re.search(r'examples:\n  \S.* a.py', text)
    assert all(option in text for option in ('--work-dir', '--cfg-options', '--launcher', '--device'))
    assert 'local' not in text


def test_arguments_make_the_config(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('model = dict(width=1.0)\n')
    parser = runner_parser('train', '', '')
    cfg = config_from(parser.parse_args([str(path), '--cfg-options', 'model.width=0.5', '--work-dir', 'runs/a']))
    assert (cfg.model.width, cfg.work_dir, cfg.launcher) == (0.5, 'runs/a', 'none')


def test_an_unknown_launcher_is_refused(capsys):
    with pytest.raises(SystemExit):
        runner_parser('train', '', '').parse_args(['a.py', '--launcher', 'ssh'])
    assert "invalid choice: 'ssh'" in capsys.readouterr().err


@pytest.mark.parametrize('option, words', [
    ('modle.width=0.5', 'an unknown setting in .*mine.py:\n  modle.width: .* did you mean model.width?'),
    ('model.width.x=1', 'the overrides .* do not fit the config'),
    ('default_hooks=3', 'default_hooks must be a dict'),
    ('custom_hooks.0.type=CRFHook', 'custom_hooks must be a list of hooks')])
def test_settings_that_nothing_reads_are_refused(tmp_path, option, words):
    path = tmp_path / 'mine.py'
    path.write_text('model = dict(width=1.0)\n')
    with pytest.raises(SettingError, match=words.replace('?', r'\?')):
        config_from(runner_parser('train', '', '').parse_args([str(path), '--cfg-options', option]))


@pytest.mark.parametrize('line', [
    ['a.py'], ['a.py', '--work-dir', 'my runs', '--device', 'cpu'],
    ['--cfg-options', 'model.width=0.25', 'size=(64, 112)', '--work-dir', 'w', '--cfg-options', 'b.c="d e"', '--',
     'a.py']])
def test_what_was_typed_is_typed_again_for_the_next_command(line):
    parser = runner_parser('train', '', '')
    first = parser.parse_args(line)
    assert parser.parse_args(typed(first)) == first and typed(first)[0] == 'a.py'


def test_the_launcher_is_not_typed_again():
    assert typed(runner_parser('train', '', '').parse_args(['a.py', '--launcher', 'pytorch'])) == ['a.py']
