#include "shims/exec/environment.h"

#include <link.h>

#include <cstring>

namespace vgpu::exec {
namespace {

constexpr std::string_view kPreload = "LD_PRELOAD=";
constexpr std::string_view kPropagate = "VGPU_PROPAGATE=";
constexpr std::string_view kNamePrefix = "libvgpu-";
constexpr std::string_view kLibc = "libc.so";

std::string_view NameOf(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return path;
}

// Null where the variable is not set. As getenv(3), the first of a name counts.
char* const* Find(char* const* environment, std::string_view name_and_equals) {
  if (environment == nullptr) return nullptr;
  for (char* const* variable = environment; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).starts_with(name_and_equals)) return variable;
  }
  return nullptr;
}

std::string_view ValueOf(char* const* variable, std::string_view name_and_equals) {
  if (variable == nullptr) return {};
  std::string_view value(*variable);
  value.remove_prefix(name_and_equals.size());
  return value;
}

void Append(ShimList* list, std::string_view path) {
  size_t separator = list->size == 0 ? 0 : 1;
  if (list->size + separator + path.size() > ShimList::kSize) return;
  if (separator != 0) list->text[list->size++] = ':';
  memcpy(list->text.data() + list->size, path.data(), path.size());
  list->size += path.size();
}

// Whether `list` has `entry`. ld.so parts LD_PRELOAD at colons and spaces (ld.so(8)).
bool Has(std::string_view list, std::string_view entry) {
  while (!list.empty()) {
    size_t end = list.find_first_of(": ");
    if (list.substr(0, end) == entry) return true;
    if (end == std::string_view::npos) return false;
    list.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

void LoadedShims(ShimList* shims) {
  const link_map* object = _r_debug.r_map;
  // The first is the program.
  if (object != nullptr) object = object->l_next;
  for (; object != nullptr; object = object->l_next) {
    if (object->l_name == nullptr) continue;
    std::string_view path(object->l_name);
    std::string_view name = NameOf(path);
    if (name.starts_with(kLibc)) return;
    if (!name.starts_with(kNamePrefix)) continue;
    if (path[0] != '/' || path.find_first_of(": ") != std::string_view::npos) continue;
    Append(shims, path);
  }
}

bool LeftAlone(char* const* environment) {
  return ValueOf(Find(environment, kPropagate), kPropagate) == "0";
}

void Missing(char* const* environment, const ShimList& shims, ShimList* missing) {
  std::string_view present = ValueOf(Find(environment, kPreload), kPreload);
  std::string_view rest = shims.Text();
  while (!rest.empty()) {
    size_t end = rest.find(':');
    std::string_view path = rest.substr(0, end);
    if (!Has(present, path)) Append(missing, path);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
}

Need NeedOf(char* const* environment, const ShimList& missing) {
  Need need;
  need.pointers = 2;  // LD_PRELOAD, which may be new, and the null at the end
  if (environment != nullptr) {
    for (char* const* variable = environment; *variable != nullptr; ++variable) ++need.pointers;
  }
  need.bytes = kPreload.size() + missing.size + 1 +
               ValueOf(Find(environment, kPreload), kPreload).size() + 1;
  return need;
}

void AddShims(char* const* environment, const ShimList& missing, char** pointers, char* text) {
  char* const* old = Find(environment, kPreload);
  std::string_view value = ValueOf(old, kPreload);
  char* end = text;
  auto add = [&end](std::string_view part) {
    memcpy(end, part.data(), part.size());
    end += part.size();
  };
  add(kPreload);
  add(missing.Text());
  if (!value.empty()) {
    add(":");
    add(value);
  }
  *end = '\0';
  if (old == nullptr) *pointers++ = text;
  if (environment != nullptr) {
    for (char* const* variable = environment; *variable != nullptr; ++variable) {
      *pointers++ = variable == old ? text : *variable;
    }
  }
  *pointers = nullptr;
}

}  // namespace vgpu::exec
