"""Tags a CLIP and encodes with the stock node."""


def track(clip):
    from pack.patches.run.track import track_phrases

    return track_phrases(clip)


def encode(clip, text):
    """The one entry that the stock text encode node makes: tensor, options."""
    import nodes

    ((entry,),) = nodes.CLIPTextEncode().encode(clip, text)
    return entry


def tag_of(entry):
    from pack.patches.run.track import read_tag

    return read_tag(entry[1])


def changed_rows(clip, before, after):
    """Rows of the tensor in which two prompts differ."""
    a, b = encode(clip, before)[0], encode(clip, after)[0]
    return (a != b).any(-1)[0].nonzero().flatten().tolist()
