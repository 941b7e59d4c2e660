#include "diag/runbooks/synonyms.h"

namespace vgpu::runbooks {
namespace {

constexpr Synonym kSynonyms[] = {
    // What discovery comes to.
    {"detect gpu", "library=cpu"},
    {"recognize gpu", "library=cpu"},
    {"recognise gpu", "library=cpu"},
    {"find gpu", "library=cpu"},
    {"found gpu", "library=cpu"},
    {"see gpu", "library=cpu"},
    {"use gpu", "library=cpu"},
    {"using gpu", "library=cpu"},
    {"no gpu", "library=cpu"},
    {"cpu only", "library=cpu"},
    // How a program ends, or does not begin.
    {"crash", "the service restarts all the time"},
    {"segfault", "the service restarts all the time"},
    {"sigsegv", "the service restarts all the time"},
    {"segmentation fault", "the service restarts all the time"},
    {"crash segmentation fault", "the service restarts all the time"},
    {"core dump", "the service restarts all the time"},
    {"hang", "timeout"},
    {"stuck", "timeout"},
    {"stuck start", "timeout"},
    {"freeze", "timeout"},
    {"won't start", "does not start"},
    {"doesn't start", "does not start"},
    {"fails to start", "does not start"},
    {"connection refused", "nothing answers"},
    // Files.
    {"not found", "missing"},
    {"not found shim", "preload entry does not exist"},
    {"not found file", "messages of the loader"},
    {"not found library", "messages of the loader"},
    {"permission denied", "cannot be read"},
    {"access denied", "cannot be read"},
    // Where it runs, and what happened before.
    {"docker", "container"},
    {"podman", "container"},
    {"kubernetes", "container"},
    {"after reboot", "discovery ran before the device"},
    {"reboot", "boot"},
    {"upgrade", "update"},
    {"sleep", "suspend"},
    {"standby", "suspend"},
    {"outdated", "old"},
    // Memory, of the device as a rule.
    {"out of memory", "model exceeds memory"},
    {"oom", "model exceeds memory"},
    {"vram", "memory"},
    // A word of the product's own.
    {"era", "words of these pages"},
};

}  // namespace

absl::Span<const Synonym> Synonyms() { return kSynonyms; }

}  // namespace vgpu::runbooks
