"""Checks whether the project's weights exist and fit. ``tempseg-doctor`` uses it.

The rest of the project is imported inside the function, since it may be broken.
"""

import os
import textwrap

from .check import BROKEN, MISSING, NOTE, OK, Check
from .config_health import WORDS

NAME = 'weights'
FROM_RANDOM = 'tempseg-segment starts from scratch (random initialisation)'
LONGEST = 300  # longest shown text of an error, in characters


def check_weights() -> list[Check]:
    """Load the weights of the default config of ``tempseg-segment`` into its network."""
    try:
        from tempseg_mm.apis.export import build_generator
        from tempseg_mm.apis.inferencer.loading import DEFAULT_CONFIG, find_config
        from tempseg_mm.models.generator_weights import read_metadata
        from tempseg_mm.runtime.project_files import find_file
    except (Exception, SystemExit) as error:  # check_packages reports what is missing
        return [Check(NAME, NOTE, f'unknown, the project cannot be imported ({type(error).__name__})')]
    try:
        cfg = find_config(DEFAULT_CONFIG)
        named = cfg.get('checkpoint')
        if not named or named in WORDS:
            return [Check(NAME, NOTE, f'{DEFAULT_CONFIG} names none: {FROM_RANDOM}')]
        path = find_file(named)
        if not os.path.isfile(path):
            return [Check(NAME, MISSING, f'there is no {named}: {FROM_RANDOM}',
                          f'git checkout -- {named}', needed=False)]
        build_generator(cfg, path)
    except (Exception, SystemExit) as error:
        text = textwrap.shorten(f'{type(error).__name__}: {error}', LONGEST, placeholder=' ...')
        return [Check(NAME, BROKEN, f'the weights of {DEFAULT_CONFIG} do not load: {text}',
                      'git checkout -- weights configs; until then: tempseg-segment --checkpoint none')]
    told = read_metadata(path)
    trained_with = f', trained with {told["config"]}' if 'config' in told else ''
    return [Check(NAME, OK, f'{named} ({os.path.getsize(path) / 1e6:.1f} MB) loads{trained_with}')]
