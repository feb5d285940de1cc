"""Which spaCy pipeline is taken: any for English with a tagger, whatever its package is called."""

import importlib.metadata
import json
import sys

import pytest

PARSED = ["tok2vec", "tagger", "parser"]


@pytest.fixture
def install(comfy, tmp_path, monkeypatch):
    """install(package, module, lang, parts): a package that spaCy finds; its names come before those of real ones."""
    pytest.importorskip("spacy")
    import catalogue

    monkeypatch.syspath_prepend(tmp_path)

    def write(package, module, lang, parts, load="return __name__"):
        (tmp_path / module).mkdir()
        (tmp_path / module / "__init__.py").write_text(f"def load():\n    {load}\n", encoding="utf-8")
        meta = {"lang": lang, "name": module, "version": "1.0", "pipeline": parts}
        (tmp_path / module / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[spacy_models]\n{module} = {module}\n", encoding="utf-8")
        importlib.invalidate_caches()
        # spaCy's registry reads what is installed once, when it is imported
        monkeypatch.setattr(catalogue, "AVAILABLE_ENTRY_POINTS", importlib.metadata.entry_points())

    return write


def test_any_english_pipeline_with_a_tagger(install):
    from pack.nodes.words.pipeline import load_pipeline, trained

    before = trained()
    install("lm_german", "aa_german", "de", PARSED)
    install("lm_names", "aa_names", "en", ["ner"])
    assert trained() == before
    install("lm_redistributed", "aa_parser", "en", PARSED)
    install("lm_morphs", "aa_morphs", "en", ["morphologizer"])
    assert set(trained()) - set(before) == {"aa_parser", "aa_morphs"}
    assert load_pipeline() == "aa_parser"


def test_one_with_a_parser_first_then_by_name(install):
    from pack.nodes.words.pipeline import trained

    install("lm_p1", "aa_tagger", "en", ["tagger"])
    install("lm_p2", "ab_c_parser", "en", PARSED)
    install("lm_p3", "ab_b_parser", "en", PARSED)
    assert [name for name in trained() if name.startswith("a")] == ["ab_b_parser", "ab_c_parser", "aa_tagger"]


def test_one_that_cannot_be_loaded_or_read_is_passed_over_in_the_log(install, tmp_path, caplog):
    from pack.nodes.words.pipeline import load_pipeline

    install("lm_q1", "ac_a_old", "en", PARSED, load="raise OSError('made for spaCy 2')")
    install("lm_q2", "ac_b_good", "en", PARSED)
    install("lm_q3", "ac_c_bare", "en", PARSED)
    (tmp_path / "ac_c_bare" / "meta.json").unlink()
    assert load_pipeline() == "ac_b_good"
    assert "ac_a_old (made for spaCy 2)" in caplog.text and "cannot read the spaCy pipeline ac_c_bare" in caplog.text


def test_without_a_pipeline_and_without_spacy(comfy, monkeypatch):
    from pack.nodes.words import pipeline

    monkeypatch.setitem(sys.modules, "spacy", None)
    assert pipeline.load_pipeline() is None
    monkeypatch.undo()
    pytest.importorskip("spacy")
    monkeypatch.setattr(pipeline, "trained", list)
    assert pipeline.load_pipeline().meta["lang"] == "en" and pipeline.load_pipeline().pipe_names == []
