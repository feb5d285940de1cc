"""Which effects are called over the aim."""


def test_a_step_is_held_against_its_rows_and_memory_against_features(comfy):
    from pack.bench.gpu_cost import over

    figures = {"m_share_kept_mb": 100.0, "m_share_mb": 150.0, "m_share_low": 1.6, "m_capture_3_mb": 65.0}
    figures |= {"m_regions_2_low": 1.02, "m_concepts_2_guidance_low": 2.0, "m_concepts_2_guidance_mb": 900.0}
    assert over("m", 2, figures) == ["capture_3: more than 64 MB", "share: slower than 1.54"]
    assert over("m", 1, figures) == ["capture_3: more than 64 MB"]
