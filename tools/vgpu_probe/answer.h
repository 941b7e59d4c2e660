// What a step tells its parent: lines on a file descriptor.
//
//   call cuInit
//   call cuDeviceGetCount
//   {"ok":true,"library":"/usr/lib/libcuda.so.1","devices":[{"uuid":"GPU-…", …}]}
//
// A call is announced before it is made, so that a step that dies or hangs in it is known by
// its name. The last line is the answer; a step without one died. Nothing is allocated: the
// text has a fixed size, and what does not fit is an error of the step.

#ifndef TOOLS_VGPU_PROBE_ANSWER_H_
#define TOOLS_VGPU_PROBE_ANSWER_H_

#include <stddef.h>
#include <stdint.h>

namespace vgpu::probe_program {

// Where the lines go; standard output, unless it is set.
void SetAnswerFd(int fd);

// Announces a call that is about to be made.
void Call(const char* name);

// The answer, written piece by piece. Text is quoted as JSON; bytes that are no UTF-8 become
// U+FFFD.
class Answer {
 public:
  void Text(const char* key, const char* value);
  void Number(const char* key, uint64_t value);
  void Flag(const char* key, bool value);
  void BeginList(const char* key);
  void EndList();
  void BeginObject();  // in a list
  void EndObject();
  // What went wrong, and in which call.
  void Fail(const char* call, const char* format, ...) __attribute__((format(printf, 3, 4)));
  bool failed() const { return failed_; }
  // Writes the line and returns the exit status of the step.
  int Finish();

 private:
  void Raw(char c);
  void Raw(const char* text);
  void Quoted(const char* text);
  void Key(const char* key);

  char text_[64 << 10];
  size_t size_ = 0;
  bool full_ = false;
  bool comma_ = false;
  bool failed_ = false;
  char call_[64] = "";
  char why_[2048] = "";
};

}  // namespace vgpu::probe_program

#endif  // TOOLS_VGPU_PROBE_ANSWER_H_
