#include "tools/vgpu_doctor/live/stand_in/log.h"

#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace vgpu::stand_in {
namespace {

// slog's text handler quotes what is empty, and what holds a space, "=" or a quote.
std::string Quoted(const std::string& text) {
  if (!text.empty() && text.find_first_of(" =\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace

void Log(const char* level, const char* source, const std::string& message, const Keys& keys) {
  const char* debug = std::getenv("OLLAMA_DEBUG");
  const bool wants_debug = debug != nullptr && *debug != '\0' && std::strcmp(debug, "0") != 0 &&
                           std::strcmp(debug, "false") != 0;
  if (std::strcmp(level, "DEBUG") == 0 && !wants_debug) return;
  timeval now = {};
  gettimeofday(&now, nullptr);
  tm parts = {};
  gmtime_r(&now.tv_sec, &parts);
  char second[32];
  strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &parts);
  char head[160];
  std::snprintf(head, sizeof(head), "time=%s.%03dZ level=%s source=%s msg=", second,
                static_cast<int>(now.tv_usec / 1000), level, source);
  std::string line = head + Quoted(message);
  for (const auto& [key, value] : keys) line += " " + Quoted(key) + "=" + Quoted(value);
  line += '\n';
  // One write, so that lines of a child do not come in between.
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

std::string Gibibytes(unsigned long long bytes) {
  if (bytes == 0) return "0 B";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f GiB",
                static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0));
  return text;
}

}  // namespace vgpu::stand_in
