"""The same attention, faster to train on a CPU.

The forward pass is PyTorch's flash attention; the backward pass is Algorithm 4 of
FlashAttention (Dao et al. 2022, https://arxiv.org/abs/2205.14135) in pieces that fit the cache,
because PyTorch's own takes ten times as long as its forward pass there (measured). The layers
keep their parameters, so checkpoints do not depend on it.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import MobileViTForSemanticSegmentation
from transformers.models.mobilevit.modeling_mobilevit import MobileViTLayer, MobileViTSelfAttention

_PIECE = 1_000_000
"""Attention weights in one piece of the backward pass; 2 MB in bfloat16."""


class CachedAttention(torch.autograd.Function):
    """softmax(q kᵀ / √d) v for q, k, v of shape (batch, heads, tokens, d)."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return (batch, heads, tokens, d) and keep the log-sum-exp of every row."""
        out, log_sum = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, False
        )
        ctx.save_for_backward(query, key, value, out, log_sum)
        return out  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients of query, key and value."""
        query, key, value, out, log_sum = ctx.saved_tensors
        batch, heads, tokens, depth = query.shape
        flat = (batch * heads, tokens, depth)
        scale = depth**-0.5
        q, k, v, o, g = (t.reshape(flat).contiguous() for t in (query, key, value, out, grads[0]))
        q = q * scale
        rows = log_sum if log_sum.shape[1] == heads else log_sum.transpose(1, 2)
        shift = -rows.reshape(batch * heads, tokens, 1).to(q.dtype)
        delta = -(g.float() * o.float()).sum(-1, keepdim=True).to(q.dtype)
        dq, dk, dv = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        step = max(1, _PIECE // (tokens * tokens))
        for start in range(0, batch * heads, step):
            at = slice(start, start + step)
            weights = torch.baddbmm(shift[at], q[at], k[at].transpose(1, 2)).exp_()
            slopes = torch.baddbmm(delta[at], g[at], v[at].transpose(1, 2)).mul_(weights)
            torch.bmm(slopes, k[at], out=dq[at])
            torch.bmm(slopes.transpose(1, 2), q[at], out=dk[at])
            torch.bmm(weights.transpose(1, 2), g[at], out=dv[at])
        shape = query.shape
        return (dq * scale).view(shape), dk.view(shape), dv.view(shape)


class FastSelfAttention(MobileViTSelfAttention):
    """Stands in for transformers' layer; same parameters, no dropout of attention weights."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (batch, tokens, channels) to the same shape."""
        batch, tokens, _ = hidden_states.shape
        shape = (batch, tokens, self.num_attention_heads, self.attention_head_size)
        query, key, value = (
            layer(hidden_states).view(shape).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )  # (batch, heads, tokens, d)
        if query.is_cuda:
            context = nn.functional.scaled_dot_product_attention(query, key, value)
        else:
            context = CachedAttention.apply(query, key, value)  # type: ignore[no-untyped-call]
        merged: Tensor = context.transpose(1, 2).reshape(batch, tokens, self.all_head_size)
        return merged


class FastLayer(MobileViTLayer):
    """Stands in for transformers' block: cuts patches with one copy in channels_last layout.

    Only for feature maps of even height and width.
    """

    def unfolding(self, features: Tensor) -> tuple[Tensor, dict[str, int]]:
        """Turn (B, C, H, W) into (4B, HW/4, C), one row of tokens per place in a 2×2 patch."""
        batch, channels, height, width = features.shape
        size = {"batch": batch, "channels": channels, "height": height, "width": width}
        patches = features.permute(0, 2, 3, 1)
        patches = patches.reshape(batch, height // 2, 2, width // 2, 2, channels)
        patches = patches.permute(0, 2, 4, 1, 3, 5)
        return patches.reshape(batch * 4, height * width // 4, channels), size

    def folding(self, patches: Tensor, info_dict: dict[str, int]) -> Tensor:
        """Undo `unfolding`."""
        batch, channels, height, width = info_dict.values()
        features = patches.reshape(batch, 2, 2, height // 2, width // 2, channels)
        features = features.permute(0, 3, 1, 4, 2, 5)
        return features.reshape(batch, height, width, channels).permute(0, 3, 1, 2)


def quicken(model: MobileViTForSemanticSegmentation) -> None:
    """Swap the layers' classes in place; parameters and outputs stay as they are."""
    for module in model.modules():
        if type(module) is MobileViTSelfAttention:
            module.__class__ = FastSelfAttention
        elif type(module) is MobileViTLayer:
            module.__class__ = FastLayer
