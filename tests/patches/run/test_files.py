"""Names of files: what leads out of the host's folders, or can be no name, is refused as text."""

import os

import pytest

pytestmark = pytest.mark.usefixtures("folders")


AWAY = [
    "//server/share/x",
    "\\\\server\\share\\x",
    "\\\\?\\C:\\x",
    "/etc/x",
    "C:x",
    "C:/x",
    "C:\\x",
    "x:y",
    "a/../../x",
]
AWAY += ["..\\x", ".. /x", "a/.../x"]
NONE = [
    "x\0y",
    "stream.txt:y",
    "NUL",
    "con",
    "a/Aux.txt",
    "COM1",
    "lpt9 .x",
    "CONIN$",
    "a/nul/x",
    "x?",
    "a\nb",
    "\ud800",
    "x" * 300,
]
NONE += ["a/" * 600 + "x"]


@pytest.mark.parametrize(("name", "message"), [*((n, "lies outside of") for n in AWAY), *((n, "is ") for n in NONE)])
def test_a_name_that_cannot_be_is_refused_before_any_file_is_touched(folders, monkeypatch, name, message):
    from pack.patches.run.files import check_prefix, guidance_path

    def touched(*_, **__):
        raise AssertionError("the file system was asked")

    for module, function in ((os, "stat"), (os, "lstat"), (os.path, "realpath"), (os, "listdir"), (os, "makedirs")):
        monkeypatch.setattr(module, function, touched)
    for check, given in (
        (check_prefix, name),
        (guidance_path, f"{name}.safetensors"),
        (guidance_path, f"{name} [output]"),
    ):
        with pytest.raises(ValueError, match=message) as told:
            check(given)
        assert str(told.value).isprintable() and len(str(told.value)) < 300


@pytest.mark.parametrize(
    "prefix", ["edit", "guidance/edit", "a b/c.d/e", "\u7de8\u96c6/e\u0301", "%year%/e", "./x", "console", "nullify.x"]
)
def test_ordinary_names_are_taken(folders, prefix):
    from pack.patches.run.files import check_prefix

    check_prefix(prefix)


def test_a_folder_that_is_a_file_is_refused(folders):
    from pack.patches.run.files import check_prefix

    (folders / "output" / "guidance").write_text("")
    with pytest.raises(ValueError, match="asks for a folder where there is a file"):
        check_prefix("guidance/x/edit")


@pytest.mark.parametrize("prefix", ["", "guidance/", "guidance\\", "guidance/.", "."])
def test_a_prefix_without_a_name_is_refused(folders, prefix):
    """The host would count no files of it, and write over the last one."""
    from pack.patches.run.files import check_prefix

    with pytest.raises(ValueError, match="names no file; end it with the start of a name"):
        check_prefix(prefix)
