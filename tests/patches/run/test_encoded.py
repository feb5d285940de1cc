"""What encoders gave while a text was encoded: seen in this thread only, and by hooks that never stay."""

from threading import Thread

import pytest
import torch
from pack.tests import tiny
from pack.tests.patches.tracked import encode, track
from pack.tests.tiny_encoders import encoder

pytestmark = pytest.mark.usefixtures("comfy")


def hooked(clip):
    parts = clip.cond_stage_model.modules()
    return any(part._forward_hooks or part._forward_pre_hooks for part in parts)


def test_rows_are_those_of_the_tensor_with_their_weights():
    from pack.patches.run.encoded import watched

    clip = tiny.sd1()
    with watched({"l": clip.cond_stage_model.clip_l}) as gave:
        tensor, _ = encode(clip, "a (red:0.5) (cat:1.3)")
    assert torch.equal(gave["l"].rows[: tensor.shape[1]], tensor[0]) and not hooked(clip)


def test_another_thread_is_not_looked_at():
    from pack.patches.run.encoded import watched

    clip = tiny.sd1()
    tokens, model = clip.tokenize("a cat")["l"], clip.cond_stage_model.clip_l
    with watched({"l": model}) as gave:
        other = Thread(target=model.encode_token_weights, args=(tokens,))
        other.start()
        other.join()
        assert gave["l"].states is None
        model.encode_token_weights(tokens)
        assert gave["l"].states.shape == (1, 77, 32)


def test_an_encoder_that_fails_keeps_no_hooks():
    clip = track(encoder("qwen_image"))
    with pytest.raises(AttributeError):
        clip.encode_from_tokens_scheduled(clip.tokenize("a cat", images=["no picture"]))
    assert not hooked(clip)
