// A fuzz function that goes wrong when its input says so.

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

// Not a tail call, and its result depends on its frame: the stack does overflow.
__attribute__((noinline)) int Deeper(volatile char* above, int depth) {
  if (depth == 0) return 0;
  volatile char frame[4096];
  frame[0] = *above;
  return frame[0] + Deeper(frame, depth - 1) + frame[0];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  // Those that reach the function from the corpus alone.
  if (input == "abort\n") abort();
  if (input == "fault\n") *static_cast<volatile char*>(nullptr) = 0;
  if (input == "hang\n") {
    while (true) pause();
  }
  if (input == "overflow\n") {
    volatile char top = 0;
    return Deeper(&top, 1 << 30) == 0 ? 0 : -1;
  }
  // One bit away from a seed.
  if (input.rfind("seed", 0) == 0 && input.size() == 5 && input[4] != '\n') abort();
  return 0;
}
