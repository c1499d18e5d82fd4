import os
import signal

import pytest

from tempseg_mm.engine.exit_codes import STOPPED_BY_SIGNAL


@pytest.mark.skipif(not hasattr(os, 'EX_TEMPFAIL'), reason='the codes of sysexits.h are of Unix')
def test_it_is_that_of_a_temporary_failure_and_of_no_signal():
    assert STOPPED_BY_SIGNAL == os.EX_TEMPFAIL
    assert STOPPED_BY_SIGNAL - 128 not in set(signal.Signals) and STOPPED_BY_SIGNAL not in (0, 1, 2)
