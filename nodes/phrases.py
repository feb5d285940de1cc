"""Nodes that find words: in a conditioning, and in a text."""

from __future__ import annotations

from comfy.sd import CLIP
from comfy_api.latest import io

from ..patches.run.track import track_phrases
from .inputs.node import Node
from .inputs.shared import CATEGORY, found_by
from .words.pipeline import load_pipeline
from .words.split import split


class TrackPhrases(Node):
    """CLIP whose conditionings know their words."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_TrackPhrases",
            display_name="Track Phrases",
            category=f"{CATEGORY}/text",
            description="Put it right after the CLIP loader: every text encode node behind it then notes which words "
            "its conditioning was made of, so that other nodes find a phrase in it. The conditioning stays the same.",
            search_aliases=found_by("phrase, token, word position, attention words, find word in prompt"),
            inputs=[
                io.Clip.Input(
                    "clip", tooltip="The text encoder to track, before or after LoRAs and clip skip; it is not changed."
                )
            ],
            outputs=[io.Clip.Output(tooltip="The same text encoder; its conditionings carry their words.")],
        )

    @classmethod
    def execute(cls, clip: CLIP) -> io.NodeOutput:
        return io.NodeOutput(track_phrases(clip))


class SplitSubjectScene(Node):
    """Text -> subject, scene, content words."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LM_SplitSubjectScene",
            display_name="Split Subject and Scene",
            category=f"{CATEGORY}/text",
            description="Splits a prompt at its first preposition of place: 'motorcycle on a farm' -> 'motorcycle' and "
            "'a farm'. Uses a spaCy pipeline if one is installed, else a list of prepositions.",
            search_aliases=found_by("subject, background, noun, preposition, spacy, split prompt"),
            inputs=[
                io.String.Input(
                    "text",
                    multiline=True,
                    default="",
                    tooltip="An English prompt of any length; weights such as (dog:1.2) are taken off. Neutral: a text "
                    "without a preposition of place, which is all subject.",
                )
            ],
            outputs=[
                io.String.Output(
                    "subject", tooltip="What stands before the preposition, without 'a photo of' and its action."
                ),
                io.String.Output("scene", tooltip="What follows it; empty if there is none."),
                io.String.Output("content_words", tooltip="The words that name something to see, comma separated."),
                io.String.Output("method", tooltip="What found them: a spaCy pipeline, its tokenizer, or no spaCy."),
                io.String.Output(
                    "action",
                    tooltip="What the subject does, such as 'reading a book'. Only a spaCy pipeline tells; else it is "
                    "empty and the verb stays in the subject.",
                ),
            ],
        )

    @classmethod
    def execute(cls, text: str) -> io.NodeOutput:
        parts = split(text, load_pipeline())
        return io.NodeOutput(parts.subject, parts.scene, ", ".join(parts.content), parts.method, parts.action)


NODES = [TrackPhrases, SplitSubjectScene]
