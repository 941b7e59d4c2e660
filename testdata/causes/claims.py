"""Claims that are false: machines that once led to them. Where another module has the machine,
the test is there (layer2: set_twice_to_the_same; layer4: cut_short_beside_a_missing_one; layer5:
library_path_in_the_unit, others_are_skipped, copy_at_the_top_level; layer7: journal_begins_late,
first_success_then_none)."""

from cases import A, B, B_DEBUG, B_LATE, C, fault, neighbour


@neighbour("VG303", B_DEBUG, never_says=["Go removes"])
def log_line_without_preload(h):
    """Claim: Go removes LD_PRELOAD for its children. The line prints only some variables."""
    h.say("msg=subprocess PATH=%s OLLAMA_DEBUG=1 LD_LIBRARY_PATH=%s:%s OLLAMA_LIBRARY_PATH=%s:%s" %
          (h.base_path, h.ollama_lib, h.variant_dir, h.ollama_lib, h.variant_dir), "DEBUG",
          "server.go:430")


@neighbour("VG309", B, C, never_says=["libggml-cuda is not loaded"])
def backend_is_in_no_maps(h):
    """Claim: libggml-cuda missing from the server's maps shows a fault. A child loads it."""


@fault("VG704", B_LATE, consequences=[], touches=["outcome"],
       never_says=["GPU is used"])
def answers_with_200(h):
    """Claim: HTTP 200 from a generate call means that the GPU was used."""
    h.env["OLLAMA_LLM_LIBRARY"] = "cuda_v12"
    h.ps = {"models": [{"name": "llama3.2:3b", "size": 3300000000, "size_vram": 0,
                        "context_length": 4096}]}
    h.later('[GIN] 2026/03/01 - 08:10:00 | 200 |  3.1204s |       127.0.0.1 | POST     '
            '"/api/generate"', "")
    h.lose()


@neighbour("VG307", B, A, roots=["VG401"], may=["VG504", "VG503"], never_says=["crash"])
def missing_entry_and_no_crash(h):
    """Claim: a missing file in LD_PRELOAD makes the program crash. It runs, without that shim."""
    h.remove(h.shim("cuda"))
    h.lose()
