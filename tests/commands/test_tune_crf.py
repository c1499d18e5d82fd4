"""Arguments that reach the search, and what is printed of it."""

import pytest


def test_tune_crf_arguments(command, config_file, capsys, monkeypatch):
    from tempseg_mm.apis import crf_tuning
    from tempseg_mm.inference.crf_search import OFF, MaskScores, SearchReport
    asked = []
    monkeypatch.setattr(crf_tuning, 'tune_crf', lambda cfg, out, **settings: asked.append((cfg, out, settings)) or (
        SearchReport(OFF, MaskScores(0.5, 0.7), MaskScores(0.5, 0.7))))
    command('tune_crf', config_file(), 'some.pth', '--out', 'crf.py', '--sequences', 'a', '--trials', 9, '--seed', 3,
         '--frames-per-sequence', 2, '--workers', 1)
    (cfg, out, settings), = asked
    assert cfg.load_from == 'some.pth' and cfg.test_dataloader.dataset.sequences == ['a'] and out == 'crf.py'
    assert settings == dict(split='train', trials=9, frames_per_sequence=2, seed=3, workers=1)
    for given in (['fit20'], ['a', 'b']):
        command('tune_crf', config_file(), 'some.pth', '--out', 'crf.py', '--split', *given)
        assert asked.pop()[2]['split'] == (given if len(given) > 1 else given[0])
    assert 'Nothing gained: none of the tried settings was better than no CRF (J 0.5000, F 0.7000)' in \
        capsys.readouterr().out
    with pytest.raises(SystemExit):
        command('tune_crf', config_file())
    assert 'required: --out' in capsys.readouterr().err
