"""8xx: is what discovery found believable."""

from cases import A, B, B_DEBUG, B_LATE, B_REAL, C, C_PATH, C_REAL, fault, neighbour
from layer6 import move_card

NO_UUID = "GPU-00000000-1400-0000-0900-000000000000"
ZERO = "GPU-00000000-0000-0000-0000-000000000000"


@fault("VG801", B_DEBUG, consequences=["VG703", "VG704"], may=["VG708", "VG803"],
       touches=["outcome", "device"], says=[NO_UUID])
def eighty_gibibytes_as_an_id(h):
    """The id is a size read as a UUID, and the second pass does not find it."""
    h.device["id"] = NO_UUID
    h.lose(first_pass=True)


@fault("VG801", B, A, roots=[], latent=["VG801"], touches=["device"])
def zero_id(h):
    """The id is all zeroes; this release finds the device all the same."""
    h.device["id"] = ZERO


@neighbour("VG801", B, B_REAL)
def a_good_id(h):
    """The id is the card's."""
    if not h.files.get("/etc/vgpu/devices.toml"):
        h.device["id"] = "GPU-8f3b0c1e-77aa-4d1c-9b20-5a6e7f809112"


@fault("VG802", B, C_PATH, roots=[], latent=["VG802"], touches=["device"],
       may=["VG603"])
def address_from_uninitialised_memory(h):
    """The address has a bus that cannot be."""
    h.device["pci"] = "0000:3d3bb990:7"


@neighbour("VG802", B_REAL, C_REAL)
def address_behind_a_volume_controller(h):
    """The card is in domain 10000, which has five digits and is possible."""
    move_card(h, "10000:01:00.0")


@fault("VG803", B, C, A, roots=[], latent=["VG803"], touches=["device"])
def capability_of_another_generation(h):
    """The compute capability is 8.9, and the profile's is 9.0."""
    h.device["compute"] = "8.9"


@fault("VG803", B_DEBUG, consequences=["VG704"], may=["VG511", "VG702", "VG703", "VG708"],
       touches=["outcome", "device"])
def capability_of_nothing(h):
    """The compute capability is 0.0, for which no backend is built: the second pass asserts."""
    h.device["compute"] = "0.0"
    h.lose(first_pass=True)


@fault("VG803", C_PATH, consequences=["VG704"], may=["VG511"], touches=["outcome", "device"])
def capability_that_no_backend_has(h):
    """The compute capability is 512.1: no backend is built for it, and the device is skipped."""
    h.say('msg="skipping CUDA device — compute capability not in compiled architectures" '
          'device="NVIDIA H100 80GB HBM3" cc=5121 archs="[500 600 700 800 900]" libDirs="[%s %s]"'
          % (h.ollama_lib, h.variant_dir), source="llama_server.go:299")
    h.lose()


@neighbour("VG803", B_REAL)
def capability_of_another_card(h):
    """A card of compute capability 8.6."""
    h.device.update({"compute": "8.6", "card": "NVIDIA RTX A6000", "total": "47.5 GiB",
                     "free": "47.1 GiB"})


@fault("VG804", B, C, roots=[], latent=["VG804"], touches=["device"])
def another_name(h):
    """The name is not the profile's."""
    h.device["card"] = "HEXACORE vH100 CAP"


@fault("VG804", B_LATE, roots=[], latent=["VG804"], touches=["device"])
def another_size(h):
    """The memory is half of the profile's."""
    h.device.update({"total": "40.0 GiB", "free": "39.0 GiB"})


@neighbour("VG804", B_REAL, C_PATH)
def a_little_less_memory(h):
    """The driver keeps some of the memory for itself."""
    h.device.update({"total": "79.6 GiB", "free": "79.1 GiB"})


@fault("VG805", B, C_PATH, roots=[], notes=["VG805"], touches=["launch"])
def launch_refused(h):
    """A model was loaded, and the shim refused its first kernel."""
    h.later('level=error lib=libvgpu-cuda msg="kernel launch refused" func=cuLaunchKernel device=0 '
            'reason="no compute backend"', "")


@neighbour("VG805", B, C_PATH)
def nothing_launched(h):
    """No model was loaded."""
