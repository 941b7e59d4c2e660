// A file that comes into being whole or not at all.
//
// Until Publish it has no name where the file system allows that (O_TMPFILE), so that
// nothing is left of it, whatever ends the program. Only its owner may read it, and nothing
// that is there already is overwritten.

#ifndef TOOLS_VGPU_DOCTOR_NEW_FILE_H_
#define TOOLS_VGPU_DOCTOR_NEW_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "diag/archive/byte_sink.h"
#include "diag/host/file_io.h"

namespace vgpu::doctor {

// What standard output or a file takes. Errors: "FILE: no space left on device".
class FileSink : public archive::ByteSink {
 public:
  FileSink(host::Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  absl::Status Write(absl::string_view bytes) override;

 protected:
  host::Fd fd_;
  std::string name_;
};

class NewFile : public FileSink {
 public:
  static absl::StatusOr<NewFile> Create(const std::string& name);
  NewFile(NewFile&& other) noexcept;
  ~NewFile() override;
  absl::Status Publish();

 private:
  NewFile(host::Fd fd, std::string name, bool has_name)
      : FileSink(std::move(fd), std::move(name)), has_name_(has_name) {}
  bool has_name_;  // and is to be removed, unless it is published
};

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_NEW_FILE_H_
