"""What the tools end with when they were asked to stop and can be gone on with. Used by the tools, train and test."""

# EX_TEMPFAIL of sysexits.h: nothing is wrong, run it again. 130 and 143 would say that a signal killed the work.
STOPPED_BY_SIGNAL = 75
