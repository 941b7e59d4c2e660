// What the service sees at a path that the host may have something else at.
// service_view.h tells.

#ifndef DIAG_FACTS_SIGHT_H_
#define DIAG_FACTS_SIGHT_H_

#include <string>

namespace vgpu::facts {

struct Sight {
  enum class What {
    kAsHost,   // what the host has there
    kBound,    // `host_path` of the host
    kHidden,   // nothing that can be opened
    kUnknown,  // something else; the host has no name for it that is known
  };
  What what = What::kAsHost;
  std::string host_path;  // of kAsHost and kBound: where the host has the file
  // What says so: a setting as written, with its place; else a line of mountinfo.
  std::string because;
  std::string source;
  int line = 0;
  bool noexec = false;
};

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_SIGHT_H_
