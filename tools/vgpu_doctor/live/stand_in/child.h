// Starts a child of discovery with an environment of its own, and waits for it.

#ifndef TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_CHILD_H_
#define TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "tools/vgpu_doctor/live/stand_in/log.h"

namespace vgpu::stand_in {

class Child {
 public:
  // `set` is added to the environment, in place of what has the name. What the child prints is
  // thrown away, as Ollama does below TRACE, or where `keep_output` is set, kept for Wait.
  Child(const std::vector<std::string>& command, const Keys& set, bool keep_output);
  ~Child();  // kills it, and waits
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool Ended();  // whether it has ended; never waits
  // Waits until it ends or closes its output, at most so long; whether it did.
  bool Wait(double seconds);
  const std::string& output() const { return output_; }
  int exit_code() const { return exit_code_; }  // -1: a signal ended it

 private:
  pid_t process_ = -1;
  int pipe_ = -1;
  int exit_code_ = 0;
  bool ended_ = false;
  std::string output_;
};

}  // namespace vgpu::stand_in

#endif  // TOOLS_VGPU_DOCTOR_LIVE_STAND_IN_CHILD_H_
