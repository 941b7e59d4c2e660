#include "diag/facts/put_aside.h"

#include "diag/host/host.h"

namespace vgpu::facts {

bool PutAside(absl::string_view path) {
  const absl::string_view name = host::Basename(path);
  const size_t suffix = name.rfind(".so");
  return suffix == absl::string_view::npos ||
         name.substr(suffix + 3).find_first_not_of(".0123456789") != absl::string_view::npos;
}

}  // namespace vgpu::facts
