// What somebody meant who named a host, a log, a cause or a unit where the command line takes
// none: the command that takes it.
//
//   Meant(app, {"check", "host1"})  ==  "Did you mean `vgpu-doctor check --root host1`?"
//
// All of them look at the file system of the caller, and return "" where nothing is known. What
// they say of a path is as it was typed: it is to be made visible before it is printed.

#ifndef TOOLS_VGPU_DOCTOR_MEANT_H_
#define TOOLS_VGPU_DOCTOR_MEANT_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/string_view.h"

namespace vgpu::doctor {

// Of arguments (without the program's name) that `app` does not take.
std::string Meant(const CLI::App& app, const std::vector<std::string>& arguments);

// Of a path that stands where `command`, which has --root, takes something else.
std::string MeantAsRoot(absl::string_view command, const std::string& path);

// Of a path that --root, --each or --log named, and that is none.
std::string MeantByRoot(const std::string& path);
std::string MeantByEach(const std::string& path);
std::string MeantByLog(const std::string& path);

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_MEANT_H_
