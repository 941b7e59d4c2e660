#include "diag/diagnosis/precedence.h"

namespace vgpu::diagnosis {
namespace {

constexpr Precedence kPrecedences[] = {
    // A wrapper that can be named, and a loss that nothing explains.
    {"VG207", "VG303"},
    {"VG512", "VG303"},
    // Another file than ExecStart names, and an environment that is old.
    {"VG308", "VG302"},
    // The service manager's own environment, and the fault of the value that it brings.
    {"VG310", "VG401"},
    {"VG310", "VG507"},
    // Discovery before a change, where something else says why.
    {"VG302", "VG706"},
    {"VG306", "VG706"},
    {"VG308", "VG706"},
    // A sandbox that hides a path, and modes or owners that would.
    {"VG210", "VG402"},
    {"VG210", "VG604"},
    // A container that is given no GPU has no driver's library either.
    {"VG610", "VG504"},
    {"VG610", "VG604"},
    // NVIDIA's own file in the list, and that it is mixed with shims.
    {"VG412", "VG418"},
    // A variable that hides the device, and what CUDA then says.
    {"VG507", "VG707"},
    // Without a device or its driver there are no nodes.
    {"VG601", "VG604"},
    {"VG605", "VG604"},
    // A file that kills who touches it. (Whether another fault of a shim ends the start or only
    // one dlopen, its rule knows: shim_faults.cc.)
    {"VG404", "VG307"},
    // A backend that cannot be opened: by whose fault.
    {"VG406", "VG505"},
    {"VG409", "VG505"},
    {"VG416", "VG505"},
    {"VG514", "VG505"},
    // Two installations, and what is missing or mixed by them.
    {"VG508", "VG502"},
    {"VG508", "VG514"},
    // A device that the second pass loses.
    {"VG511", "VG703"},
    {"VG801", "VG703"},
    {"VG803", "VG511"},
    // The model's runner shows what the layout lacks.
    {"VG501", "VG902"},
    {"VG502", "VG902"},
    {"VG503", "VG902"},
    {"VG504", "VG902"},
    {"VG505", "VG902"},
    {"VG506", "VG902"},
    {"VG507", "VG902"},
    {"VG508", "VG902"},
};

}  // namespace

absl::Span<const Precedence> Precedences() { return kPrecedences; }

}  // namespace vgpu::diagnosis
