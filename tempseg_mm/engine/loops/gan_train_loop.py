"""The alternating training of TempSeg-GAN.

The loop knows two sub-modules by name and two step counts. The model holds the losses, the config the learning rates.
"""

from collections.abc import Sequence

from mmengine.hooks import LoggerHook
from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from tempseg_mm.datasets.data_stream import DataStream
from tempseg_mm.engine.finite_steps import FiniteSteps
from tempseg_mm.engine.nonfinite_dump import QueuedIteration, dumped_if_not_finite
from tempseg_mm.engine.training_clock import TrainingClock
from tempseg_mm.registry import LOOPS
from tempseg_mm.runtime.random_state import get_random_state
from tempseg_mm.structures import ClipBatch, ClipPrediction

MOST_QUEUED = 10  # iterations that are queued before their terms are read


@LOOPS.register_module()
class GANTrainLoop(IterBasedTrainLoop):
    """Trains generator and adversary in turn. One iteration::

        before_train_iter
        batch = data_preprocessor(data)          # stack, normalise; flow, once, if workers have not brought it
        Y^ = G(I)                                # one forward pass serves both half-steps
        discriminator_steps x:  max over D, E    # eq. 4, on Y^ detached
        generator_steps x:      min over G       # eq. 10, the adversary held still
        after_train_iter

    A loss or gradient that is not finite updates nothing, see :class:`~tempseg_mm.engine.finite_steps.FiniteSteps`.
    With fused Adam, the default on CUDA, the CPU waits for the device only where the terms are logged, every
    ``interval`` iterations of ``LoggerHook``, and after :data:`MOST_QUEUED` at the latest, because the batches of
    iterations that were not read yet are kept. Of the iterations in between, hooks get ``outputs=None``; their terms
    reach the message hub together. A hook that stores or judges the state of training calls :meth:`catch_up` before.

    Args:
        runner: the Runner.
        dataloader: data loader of training clips.
        max_iters: number of all iterations; with ``max_minutes``, the number that schedules count.
        max_minutes: training and its schedules end after this time, see
            :class:`~tempseg_mm.engine.training_clock.TrainingClock`. ``None``: they end after ``max_iters``.
        discriminator_steps: half-steps of D per iteration.
        generator_steps: half-steps of G per iteration; each one after the first predicts again.
        on_nonfinite: ``'stop'``, with a dump that repeats the iteration, or ``'skip'``.
        max_skips: largest number of half-steps that may be skipped in a row.
        kwargs: other arguments of ``IterBasedTrainLoop`` (validation interval).
    """

    def __init__(self, runner, dataloader, max_iters: int, *, max_minutes: float | None = None,
                 discriminator_steps: int = 1, generator_steps: int = 1, on_nonfinite: str = 'stop',
                 max_skips: int = 10, **kwargs) -> None:
        super().__init__(runner, dataloader, max_iters, **kwargs)
        self.clock = None if max_minutes is None else TrainingClock(runner, max_minutes, max_iters)
        if discriminator_steps < 1 or generator_steps < 1:
            raise ValueError('discriminator_steps and generator_steps must be at least 1, got '
                             f'{discriminator_steps} and {generator_steps}; to train without an adversary set '
                             'adversary=None')
        self.discriminator_steps = discriminator_steps
        self.generator_steps = generator_steps
        self.steps = FiniteSteps(on_nonfinite, max_skips)
        self.last_batch = self.last_prediction = None  # of the last iteration, for pictures
        self._queued: list[QueuedIteration] = []  # iterations whose terms are still to be read

    @property
    def dataloader(self) -> DataStream:
        """The training data as a stream that knows how far training has read. mmengine sets it to a data loader."""
        return self._stream

    @dataloader.setter
    def dataloader(self, loader) -> None:
        self._stream = DataStream(loader, self.model.data_preprocessor.in_workers)

    @property
    def model(self) -> nn.Module:
        """Model without its distributed wrapper, whose ``no_sync`` fails with more than one sub-module."""
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    @property
    def max_iters(self) -> int:
        """Number of all iterations; the expected number if training goes by the clock."""
        return self._max_iters if self.clock is None else self.clock.expected_iters

    @property
    def scheduled(self) -> tuple[int, int]:
        """Numbers of finished and of all iterations, as the schedules count them."""
        return self._iter if self.clock is None else self.clock.steps, self._max_iters

    def run(self) -> nn.Module:
        """Train from the current iteration to the end, on the data from ``dataloader.position`` on."""
        steps = dict(generator=self.generator_steps, adversary=self.discriminator_steps)
        for name, optim in self.runner.optim_wrapper.items():
            all_of_them = self.max_iters * steps[name] if self.clock is None else -1  # unknown
            optim.initialize_count_status(getattr(self.model, name), self.iter * steps[name], all_of_them)
        self.runner.call_hook('before_train')
        self.runner.call_hook('before_train_epoch')
        self.validate_if_due()  # a run that was stopped at this iteration may have skipped the validation
        while self._iter < self.max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self.validate_if_due()
        self.catch_up()
        self.dataloader.close()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def run_iter(self, data_batch: dict) -> None:
        """Run one iteration, between mmengine's two hook calls. Its terms are read now if they are logged now."""
        self.runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=data_batch)
        with dumped_if_not_finite(self.runner, self._queued):
            self.queue(data_batch)
            read = self.settle() if self._is_read_now() else [None]
        self._log(read[:-1])
        self.runner.call_hook('after_train_iter', batch_idx=self._iter, data_batch=data_batch, outputs=read[-1])
        self._iter += 1

    def _is_read_now(self) -> bool:
        intervals = [hook.interval for hook in self.runner.hooks if isinstance(hook, LoggerHook)]
        logged = any((self._iter + 1) % interval == 0 for interval in intervals)
        return (self.steps.all_read or logged or not intervals or len(self._queued) >= MOST_QUEUED
                or self._iter + 1 >= self.max_iters)

    def catch_up(self) -> None:
        """Read and log what was not read yet, so that the state of training is known to be sound.

        Raises:
            NotFiniteError: if a term or gradient was not finite; with a dump that repeats its iteration.
        """
        with dumped_if_not_finite(self.runner, self._queued):
            self._log(self.settle())

    def _log(self, read: Sequence[dict]) -> None:
        """Give terms to the message hub, as mmengine does with ``outputs``."""
        for terms in read:
            for name, value in terms.items():
                self.runner.message_hub.update_scalar(f'train/{name}', value)

    def validate_if_due(self) -> None:
        """Validate every ``val_interval`` iterations from ``val_begin`` on, and at the end; never in a stopped run."""
        self._decide_current_val_interval()
        due = self._iter % self.val_interval == 0 or self._iter == self.max_iters
        if self.runner.val_loop is not None and due and self._iter >= self.val_begin and not self.stop_training:
            self.catch_up()
            self.runner.val_loop.run()

    def alternate(self, data_batch: dict) -> dict:
        """Take all half-steps of both parts and return every logged term as a float."""
        self.queue(data_batch)
        return self.settle()[-1]

    def queue(self, data_batch: dict) -> None:
        """Take all half-steps of both parts, without waiting for a device that withholds wrong updates itself."""
        model = self.model
        batch = model.data_preprocessor(data_batch, training=True)
        iteration = self.steps.begin(model, f'iteration {self._iter + 1} (frames {batch.origin})')
        self._queued.append(QueuedIteration(self._iter, data_batch, iteration))
        try:
            prediction = self._half_steps(batch)
        except Exception:
            self.steps.settle()  # perhaps it broke down on numbers of a half-step that is not read yet
            raise
        self.last_batch, self.last_prediction = batch, prediction

    def settle(self) -> list[dict]:
        """Read all queued half-steps and return the terms of each iteration, in order.

        Raises:
            NotFiniteError: see :meth:`FiniteSteps.settle() <tempseg_mm.engine.finite_steps.FiniteSteps.settle>`.
        """
        self.steps.settle()
        read = [iteration.steps.terms for iteration in self._queued]
        self._queued.clear()
        return read

    def _half_steps(self, batch: ClipBatch) -> ClipPrediction:
        model, optim = self.model, self.runner.optim_wrapper
        prediction = self._predict(batch)

        # max over D and E:  log D(E(Y)) + log(1 - D(E(Y^)))
        if model.adversary is not None:
            for _ in range(self.discriminator_steps):
                with optim['adversary'].optim_context(model.adversary):
                    loss, terms = model.parse_losses(model.discriminator_losses(prediction, batch))
                self._step('adversary', loss, dict(terms, loss_d=terms.pop('loss')))

        # min over G:  a_adv (BCE(Y, Y^) - log D(E(Y^))) + a_L1 L1 + a_ITSDL ITSDL + a_IFTL IFTL + a_L-IFTL L-IFTL
        for step in range(self.generator_steps):
            if step > 0:
                self.steps.settle()  # a dump needs the random state from before the prediction that failed
                prediction = self._predict(batch)
            with optim['generator'].optim_context(model.generator):
                loss, terms = model.parse_losses(model.generator_losses(prediction, batch))
            self._step('generator', loss, dict(terms, loss_g=terms.pop('loss')))
        return prediction

    def _predict(self, batch: ClipBatch) -> ClipPrediction:
        self._queued[-1].random_state = get_random_state()
        with self.runner.optim_wrapper['generator'].optim_context(self.model.generator):
            return self.model(batch)

    def _step(self, part: str, loss, terms: dict) -> None:
        skipped = self.steps.take(part, self.runner.optim_wrapper[part], loss, terms)
        if skipped:
            self.runner.logger.warning(f'skipped a step of the {part}: {skipped}')
