// What a capture says of the answers that it lacks: what that means, and whether there is something
// to do about it.
//
// Pure function, safe in any thread.

#ifndef TOOLS_VGPU_DOCTOR_WHAT_IS_MISSING_H_
#define TOOLS_VGPU_DOCTOR_WHAT_IS_MISSING_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace vgpu::doctor {

// Sentences for people, safe to print; none where nothing is missing. `reasons` of how many
// answers; `root_sees_more`: who looked was not root, and can be.
std::vector<std::string> WhatIsMissing(const std::map<std::string, size_t>& reasons,
                                       bool root_sees_more);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_WHAT_IS_MISSING_H_
