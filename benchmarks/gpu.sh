#!/usr/bin/env bash
# Tests and measures this machine's GPU, unattended, in less than eight minutes:
#
#     benchmarks/gpu.sh                       # in .venv; OUT=folder, PYTHON=python3 choose others
#     DEVICE=cpu benchmarks/gpu.sh            # tries the script in small, without a GPU
#     STEPS='gpu_tests flow' benchmarks/gpu.sh    # only these steps
#
# Each step has a time limit and writes its own log into OUT. A step that fails stops no other. OUT/summary.txt says how
# each step ended, which tests failed, and what was measured. The exit code is the number of steps that failed.
set -u
cd "$(dirname "$0")/.." || exit 1
OUT=${OUT:-work_dirs/gpu}
PYTHON=${PYTHON:-.venv/bin/python}
DEVICE=${DEVICE:-}
STEPS=${STEPS:-torch gpu_tests rooms train_step finetuning flow clips}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} OMP_WAIT_POLICY=PASSIVE PYTHONUNBUFFERED=1
mkdir -p "$OUT"
SUMMARY=$OUT/summary.txt
: >"$SUMMARY"
failed=0

# step NAME SECONDS COMMAND...
step() {
  local name=$1 limit=$2 begin=$SECONDS code=0
  shift 2
  [[ " $STEPS " == *" $name "* ]] || return 0
  timeout -k 5 "$limit" "$@" >"$OUT/$name.log" 2>&1 </dev/null || code=$?
  [ "$code" = 0 ] || failed=$((failed + 1))
  [ "$code" = 124 ] && code="$code (out of time)"
  echo "$name: exit code $code after $((SECONDS - begin)) of $limit s" | tee -a "$SUMMARY"
}

# benchmark NAME SECONDS OPTIONS...
benchmark() {
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" "$PYTHON" "benchmarks/$name.py" "$@"
}

PYTEST=("$PYTHON" -m pytest -v -p no:cacheprovider --tb=short)
if [ "$DEVICE" = cpu ]; then
  PYTEST+=(--device cpu)
  rooms=(tests/flow/test_base.py)
  train_step=(--device cpu --rounds 1 --size 32 56 --clips 1)
  finetuning=(--device cpu --rounds 1 --size 32 56 --steps 2)
  flow=(--device cpu --repeats 1 --sizes 64x64 --providers DISFlow FlowNetSFlow)
  clips=(--clips 5 --scenes 1)
else
  processes=$(nproc)
  rooms=(tests/models tests/inference tests/engine tests/flow tests/ops tests/apis
         -n $((processes < 12 ? processes : 12)) --dist loadfile)
  train_step=(--width 1 --size 240 427 --rounds 9 --workers 4)
  finetuning=()
  flow=(--sizes 480x854 --providers DISFlow FlowNet2Flow FlowNetCFlow FlowNetSFlow FlowNetSDFlow RAFTFlow)
  clips=()
fi

{ nvidia-smi || true; nproc; free -g || true; git log --oneline -1 || true; } >"$OUT/machine.log" 2>&1
step torch 20 "$PYTHON" -m torch.utils.collect_env
step gpu_tests 60 "${PYTEST[@]}" -m gpu tests/test_gpu.py tests/models tests/inference tests/engine
step rooms 190 "${PYTEST[@]}" "${rooms[@]}" -m 'not gpu'
benchmark train_step 40 "${train_step[@]}"
benchmark finetuning 70 "${finetuning[@]}"
benchmark flow 60 "${flow[@]}"
benchmark clips 30 "${clips[@]}"

{
  for name in gpu_tests rooms; do
    [ -e "$OUT/$name.log" ] && grep -hE '^(FAILED|ERROR) |^=+ .*(passed|failed|skipped).* in ' "$OUT/$name.log" | cut -c1-200
  done
  for name in train_step finetuning flow clips; do
    [ -e "$OUT/$name.log" ] && { echo; echo "$name"; tail -n 40 "$OUT/$name.log"; }
  done
  true
} | tee -a "$SUMMARY"
echo "$SECONDS s in all; the logs are in $OUT" | tee -a "$SUMMARY"
exit "$failed"
