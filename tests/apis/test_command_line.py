import re

import pytest

from tempseg_mm.apis.command_line import config_from, runner_parser


def test_help_holds_description_options_and_examples(capsys):
    with pytest.raises(SystemExit):
        runner_parser('What it does.', '  python it.py a.py').parse_args(['--help'])
    text = capsys.readouterr().out
    assert 'What it does.' in text and 'examples:\n  python it.py a.py' in text
    assert all(option in text for option in ('--work-dir', '--cfg-options', '--launcher', '--device'))
    assert 'local' not in text


def test_arguments_make_the_config(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('model = dict(width=1.0)\n')
    parser = runner_parser('', '')
    cfg = config_from(parser.parse_args([str(path), '--cfg-options', 'model.width=0.5', '--work-dir', 'runs/a']))
    assert (cfg.model.width, cfg.work_dir, cfg.launcher) == (0.5, 'runs/a', 'none')


def test_an_unknown_launcher_is_refused(capsys):
    with pytest.raises(SystemExit):
        runner_parser('', '').parse_args(['a.py', '--launcher', 'ssh'])
    assert "invalid choice: 'ssh'" in capsys.readouterr().err


@pytest.mark.parametrize('option, words', [
    ('modle.width=0.5', 'error: an unknown setting in .*mine.py:\n  modle.width: .* did you mean model.width?'),
    ('model.width.x=1', 'error: the overrides .* do not fit the config'),
    ('default_hooks=3', 'error: default_hooks must be a dict')])
def test_settings_that_nothing_reads_are_refused_as_arguments_are(tmp_path, capsys, option, words):
    path = tmp_path / 'mine.py'
    path.write_text('model = dict(width=1.0)\n')
    with pytest.raises(SystemExit) as end:
        config_from(runner_parser('', '').parse_args([str(path), '--cfg-options', option]))
    assert end.value.code == 2
    assert re.search(words.replace('?', r'\?'), capsys.readouterr().err)
