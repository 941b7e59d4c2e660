#include "tools/vgpu_doctor/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag/report/visible.h"
#include "tools/vgpu_doctor/exit_codes.h"
#include "tools/vgpu_doctor/write_all.h"

namespace vgpu::doctor {
namespace {

// The reason stands in errno.
bool WriteTo(const std::string& name, absl::string_view text) {
  const int file = open(name.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return false;
  const bool written = WriteAll(file, text);
  const int error = errno;
  const bool closed = close(file) == 0;
  if (!written) errno = error;
  return written && closed;
}

// Likewise. A new file beside it takes its place, and its mode.
bool Replace(const std::string& name, absl::string_view text, mode_t mode) {
  std::string beside = name + ".XXXXXX";
  const int file = mkostemp(beside.data(), O_CLOEXEC);
  if (file < 0) return false;
  const bool written = WriteAll(file, text) && fchmod(file, mode) == 0;
  int error = errno;
  const bool closed = close(file) == 0;
  if (written && closed && rename(beside.c_str(), name.c_str()) == 0) return true;
  if (written) error = errno;
  unlink(beside.c_str());
  errno = error;
  return false;
}

// The mode of a new file: what the caller lets it be.
mode_t NewMode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

int WriteOutput(absl::string_view text, const std::string& name) {
  if (name == "-") {
    if (fwrite(text.data(), 1, text.size(), stdout) == text.size() && fflush(stdout) == 0) return 0;
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  struct stat old = {};
  // A link is followed: it stays, and the file that it leads to is replaced.
  const bool there = stat(name.c_str(), &old) == 0;
  char* resolved = there ? realpath(name.c_str(), nullptr) : nullptr;
  const std::string target = resolved == nullptr ? name : resolved;
  free(resolved);
  const bool done = there && !S_ISREG(old.st_mode)
                        ? WriteTo(target, text)
                        : Replace(target, text, there ? old.st_mode & 0777 : NewMode());
  if (done) return 0;
  fprintf(stderr, "vgpu-doctor: --output %s: %s\n", report::Visible(name).c_str(), strerror(errno));
  return kUsage;
}

}  // namespace vgpu::doctor
