#include "tools/vgpu_probe/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

namespace vgpu::probe_program {
namespace {

int answer_fd = STDOUT_FILENO;

void WriteAll(const char* text, size_t size) {
  while (size > 0) {
    const ssize_t n = write(answer_fd, text, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // the parent is gone
    text += n;
    size -= static_cast<size_t>(n);
  }
}

// The length of the UTF-8 sequence at `at`; 0 where there is none.
size_t Utf8(const unsigned char* at) {
  size_t length = 0;
  if (*at >= 0xc2 && *at <= 0xdf) length = 2;
  if (*at >= 0xe0 && *at <= 0xef) length = 3;
  if (*at >= 0xf0 && *at <= 0xf4) length = 4;
  for (size_t i = 1; i < length; ++i) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is above U+10FFFF (RFC 3629).
  if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
      (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f)) {
    return 0;
  }
  return length;
}

}  // namespace

void SetAnswerFd(int fd) { answer_fd = fd; }

void Call(const char* name) {
  char line[96];
  const int size = snprintf(line, sizeof(line), "call %.80s\n", name);
  WriteAll(line, static_cast<size_t>(size));
}

void Answer::Raw(char c) {
  // Room is kept for the end of the line.
  if (size_ + 8 >= sizeof(text_)) {
    full_ = true;
    return;
  }
  text_[size_++] = c;
}

void Answer::Raw(const char* text) {
  for (; *text != '\0'; ++text) Raw(*text);
}

void Answer::Quoted(const char* text) {
  Raw('"');
  const unsigned char* at = reinterpret_cast<const unsigned char*>(text);
  while (*at != '\0') {
    char escaped[8];
    if (*at == '"' || *at == '\\') {
      Raw('\\');
      Raw(static_cast<char>(*at++));
    } else if (*at < 0x20 || *at == 0x7f) {
      snprintf(escaped, sizeof(escaped), "\\u%04x", *at++);
      Raw(escaped);
    } else if (*at < 0x80) {
      Raw(static_cast<char>(*at++));
    } else if (size_t length = Utf8(at); length > 0) {
      for (; length > 0; --length) Raw(static_cast<char>(*at++));
    } else {
      Raw("\\ufffd");
      ++at;
    }
  }
  Raw('"');
}

void Answer::Key(const char* key) {
  if (comma_) Raw(',');
  comma_ = true;
  Quoted(key);
  Raw(':');
}

void Answer::Text(const char* key, const char* value) {
  Key(key);
  Quoted(value);
}

void Answer::Number(const char* key, uint64_t value) {
  char digits[24];
  snprintf(digits, sizeof(digits), "%llu", static_cast<unsigned long long>(value));
  Key(key);
  Raw(digits);
}

void Answer::Flag(const char* key, bool value) {
  Key(key);
  Raw(value ? "true" : "false");
}

void Answer::BeginList(const char* key) {
  Key(key);
  Raw('[');
  comma_ = false;
}

void Answer::EndList() {
  Raw(']');
  comma_ = true;
}

void Answer::BeginObject() {
  if (comma_) Raw(',');
  Raw('{');
  comma_ = false;
}

void Answer::EndObject() {
  Raw('}');
  comma_ = true;
}

void Answer::Fail(const char* call, const char* format, ...) {
  if (failed_) return;  // the first is why
  failed_ = true;
  snprintf(call_, sizeof(call_), "%s", call);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why_, sizeof(why_), format, arguments);
  va_end(arguments);
}

int Answer::Finish() {
  Flag("ok", !failed_);
  if (failed_) {
    Text("call", call_);
    Text("why", why_);
  }
  if (full_) {
    static constexpr char kTooLong[] =
        "{\"ok\":false,\"call\":\"\",\"why\":\"the answer is longer than a step may give\"}\n";
    WriteAll(kTooLong, sizeof(kTooLong) - 1);
    return 1;
  }
  WriteAll("{", 1);
  text_[size_++] = '}';
  text_[size_++] = '\n';
  WriteAll(text_, size_);
  return failed_ ? 1 : 0;
}

}  // namespace vgpu::probe_program
