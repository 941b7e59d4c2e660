// Two files of one shim: which are loaded twice, or would be.
//
// The loader takes a file for known by its device and inode: a link, a hard link and
// another spelling of one file load once, a copy loads twice (measured, glibc 2.36).

#ifndef DIAG_RULES_COPIES_H_
#define DIAG_RULES_COPIES_H_

#include <string>
#include <vector>

#include "diag/facts/facts.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// Files that are mapped in the process and are the same shim. Not observed where the
// maps are not.
host::Observed<std::vector<Evidence>> CopiesMapped(const facts::Facts& facts);

// Entries of the preload list that lead to different files of one shim.
std::vector<Evidence> CopiesPreloaded(const facts::Facts& facts);

// Shared objects that ExecStart's program names and that are other files than the
// preloaded ones of the same shim.
std::vector<Evidence> CopiesNamedByProgram(const facts::Facts& facts);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_COPIES_H_
