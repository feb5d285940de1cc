"""Names of files in the host's folders: looked at as text before any of them reaches the file system."""

from __future__ import annotations

import os
import re
from pathlib import Path

import folder_paths

from ...attention.quote import short

LONGEST = 200  # bytes of a part of a name: file systems take 255, and the host adds a number and an ending
DEEPEST = 1000  # bytes of a name with its folders
FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*\ud800-\udfff]')
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\..*)?", re.IGNORECASE)


def shown(name: str) -> str:
    return f"'{FORBIDDEN.sub(_escaped, short(name))}'"


def check_name(name: str, outside: str) -> None:
    """ValueError, which says `outside`, where a name leads out of its folder on any system; or no file can have it.

    A network name (\\\\server\\share) must not even be asked for: Windows would log in there.
    """
    parts = re.split(r"[\\/]", name)
    rises = any(part not in ("", ".") and not part.strip(" .") for part in parts)  # Windows drops dots and spaces
    if name.startswith(("/", "\\")) or name[1:2] == ":" or rises:
        raise ValueError(f"{shown(name)} lies outside of {outside}")
    if FORBIDDEN.search(name) or any(DEVICES.fullmatch(part) for part in parts):
        raise ValueError(f"{shown(name)} is no name that every system can give to a file; use letters, digits and -_.")
    if len(name.encode()) > DEEPEST or any(len(part.encode()) > LONGEST for part in parts):
        raise ValueError(f"{shown(name)} is too long for the name of a file; use {LONGEST} plain letters at most.")


def check_prefix(prefix: str) -> None:
    """ValueError where a file of this prefix cannot be written into the output folder."""
    outside = "the output folder; name a place in it, such as 'guidance/edit'."
    check_name(prefix, outside)
    if not re.split(r"[\\/]", prefix)[-1].strip(" ."):
        raise ValueError(f"{shown(prefix)} names no file; end it with the start of a name, such as 'guidance/edit'.")
    output = folder_paths.get_output_directory()
    folder = Path(output, os.path.dirname(os.path.normpath(prefix)))
    if not _inside(output, folder):
        raise ValueError(f"{shown(prefix)} lies outside of {outside}")
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if not there.is_dir():
        raise ValueError(f"{shown(prefix)} asks for a folder where there is a file; use another name.")


def guidance_path(name: str) -> str:
    """The file behind 'x.safetensors' (input folder) or 'x.safetensors [output]'; ValueError: elsewhere or missing."""
    outside = "the host's input and output folders; put the file into one of them and name it there."
    plain, named = folder_paths.annotated_filepath(name.strip())
    check_name(plain, outside)
    allowed = (folder_paths.get_input_directory(), folder_paths.get_output_directory())
    base = named or allowed[0]
    path = os.path.realpath(os.path.join(base, plain))
    if base not in allowed or not _inside(base, path):
        raise ValueError(f"{shown(name)} lies outside of {outside}")
    if not plain.endswith(".safetensors") or not os.path.isfile(path):
        raise ValueError(
            f"There is no guidance file {shown(name)}; Save Guidance writes one, such as "
            "'guidance/x.safetensors [output]'."
        )
    return path


def _inside(folder: str, path: str | Path) -> bool:
    """Links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _escaped(found: re.Match) -> str:
    """Characters that a log or a screen cannot take; others of a forbidden name are shown as they are."""
    character = found.group()
    return character if character.isprintable() else ascii(character)[1:-1]
