"""The alternation of TempSeg-GAN, on one screen. Knows two sub-modules by name and two step counts; losses live in the
model, learning rates in the config."""

from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from tempseg_mm.inference.finite import check_finite
from tempseg_mm.registry import LOOPS


@LOOPS.register_module()
class GANTrainLoop(IterBasedTrainLoop):
    """One iteration::

        before_train_iter
        batch = data_preprocessor(data)          # stack, normalise, optical flow once
        Y^ = G(I)                                # one forward pass serves both half-steps
        discriminator_steps x:  max over D, E    # eq. 4, on Y^ detached
        generator_steps x:      min over G       # eq. 10, the adversary held still
        after_train_iter

    Args:
        runner: the Runner.
        dataloader: of training clips.
        max_iters: iterations in all.
        discriminator_steps: D half-steps an iteration.
        generator_steps: G half-steps an iteration; each after the first predicts anew.
        kwargs: of ``IterBasedTrainLoop`` (validation interval).
    """

    def __init__(self, runner, dataloader, max_iters: int, *, discriminator_steps: int = 1, generator_steps: int = 1,
                 **kwargs) -> None:
        super().__init__(runner, dataloader, max_iters, **kwargs)
        if discriminator_steps < 1 or generator_steps < 1:
            raise ValueError('discriminator_steps and generator_steps must be at least 1, got '
                             f'{discriminator_steps} and {generator_steps}; without an adversary set adversary=None')
        self.discriminator_steps = discriminator_steps
        self.generator_steps = generator_steps
        self.last_batch = self.last_prediction = None  # of the newest iteration, for pictures

    @property
    def model(self) -> nn.Module:
        """The model without its distributed wrapper, whose ``no_sync`` breaks with more than one sub-module."""
        return self.runner.model.module if is_model_wrapper(self.runner.model) else self.runner.model

    def run(self) -> nn.Module:
        """Train from the current iteration to ``max_iters``."""
        steps = dict(generator=self.generator_steps, adversary=self.discriminator_steps)
        for name, optim in self.runner.optim_wrapper.items():
            done, all_of_them = (iters * steps[name] for iters in (self.iter, self.max_iters))
            optim.initialize_count_status(getattr(self.model, name), done, all_of_them)
        return super().run()

    def run_iter(self, data_batch: dict) -> None:
        """One iteration, between mmengine's two hook calls."""
        self.runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=data_batch)
        outputs = self.alternate(data_batch)
        self.runner.call_hook('after_train_iter', batch_idx=self._iter, data_batch=data_batch, outputs=outputs)
        self._iter += 1

    def alternate(self, data_batch: dict) -> dict:
        """Both half-steps; returns every logged term as a float."""
        model, optim = self.model, self.runner.optim_wrapper
        batch = model.data_preprocessor(data_batch, training=True)
        with optim['generator'].optim_context(model.generator):
            prediction = model(batch)
        terms = {}

        # max over D and E:  log D(E(Y)) + log(1 - D(E(Y^)))
        if model.adversary is not None:
            for _ in range(self.discriminator_steps):
                with optim['adversary'].optim_context(model.adversary):
                    loss, d_terms = model.parse_losses(model.discriminator_losses(prediction, batch))
                optim['adversary'].update_params(loss)
                terms.update(d_terms, loss_d=d_terms.pop('loss'))

        # min over G:  a_adv (BCE(Y, Y^) - log D(E(Y^))) + a_L1 L1 + a_ITSDL ITSDL + a_IFTL IFTL + a_L-IFTL L-IFTL
        for step in range(self.generator_steps):
            with optim['generator'].optim_context(model.generator):
                if step > 0:
                    prediction = model(batch)
                loss, g_terms = model.parse_losses(model.generator_losses(prediction, batch))
            optim['generator'].update_params(loss)
            terms.update(g_terms, loss_g=g_terms.pop('loss'))

        self.last_batch, self.last_prediction = batch, prediction
        return check_finite(terms, f'iteration {self._iter + 1} (sequences {", ".join(batch.sequences)})')
