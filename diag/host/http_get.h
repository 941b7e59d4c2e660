// GET from a server on 127.0.0.1, for Ollama's own API: two small answers that change
// nothing. HTTP/1.0, so that the answer ends with the connection (RFC 1945).

#ifndef DIAG_HOST_HTTP_GET_H_
#define DIAG_HOST_HTTP_GET_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace vgpu::host {

// The body of a 200 answer. Errors say what failed: "127.0.0.1:11434: connection
// refused", "…: did not answer in time", "…: answered 404".
absl::StatusOr<std::string> HttpGet(uint16_t port, absl::string_view path, size_t limit,
                                    absl::Duration timeout);

}  // namespace vgpu::host

#endif  // DIAG_HOST_HTTP_GET_H_
