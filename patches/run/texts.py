"""What belongs to the text in a conditioning's options; all else is the picture's, the control's or the sampler's.

Every key that a text encoder of the hosts 0.19.3 and 0.33.0 adds beside its first tensor, and the phrase tag of ours.
"""

from __future__ import annotations

from .track import KEY

POOLED = "pooled_output"
"""(B, D)"""
ROWS = ("conditioning_mt5xl", "conditioning_byt5small", "conditioning_llama3", "conditioning_lyrics")
"""Further texts, (B, N, D); (B, layers, N, D) in HiDream. Token numbers (1, N) in ACE-Step 1, vectors in 1.5."""
MASKS = {"cross_attn": "attention_mask", "conditioning_mt5xl": "attention_mask_mt5xl"}
"""Text -> its mask (B, N), 1 where a row counts."""
FIXED = ("t5xxl_ids", "t5xxl_weights")  # Anima
FIXED += ("text_input_ids",)  # HiDream-O1
FIXED += ("audio_codes",)  # ACE-Step 1.5
FIXED += ("minimax_token_tags",)  # MiniMax-H3
FIXED += ("num_layers_stacked", "unprocessed_ltxav_embeds")  # Lens and LTX-AV: how the first tensor was made
FIXED += ("sam3_multi_cond",)
"""Token numbers, their weights and marks: between two of them there is nothing."""
TEXT = (POOLED, *ROWS, *MASKS.values(), *FIXED, KEY)
