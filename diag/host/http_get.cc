#include "diag/host/http_get.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "diag/host/file_io.h"

namespace vgpu::host {
namespace {

// True when `fd` is ready for `events` before the deadline.
bool WaitFor(const Fd& fd, short events, absl::Time deadline) {
  while (true) {
    absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd fds[1] = {{fd.get(), events, 0}};
    int ready = poll(fds, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace

absl::StatusOr<std::string> HttpGet(uint16_t port, absl::string_view path, size_t limit,
                                    absl::Duration timeout) {
  const std::string server = absl::StrCat("127.0.0.1:", port);
  const absl::Time deadline = absl::Now() + timeout;
  auto failed = [&](absl::string_view why) {
    return absl::UnavailableError(absl::StrCat(server, ": ", why));
  };
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.ok()) return failed(ErrnoText(errno));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno != EINPROGRESS) return failed(ErrnoText(errno));
    if (!WaitFor(fd, POLLOUT, deadline)) return failed("did not answer in time");
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failed(ErrnoText(error));
  }
  const std::string request =
      absl::StrCat("GET ", path, " HTTP/1.0\r\nHost: ", server, "\r\nConnection: close\r\n\r\n");
  // So small that the socket's buffer takes it whole.
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return failed(ErrnoText(errno));
  }
  std::string answer;
  char buffer[16 << 10];
  while (true) {
    if (!WaitFor(fd, POLLIN, deadline)) return failed("did not answer in time");
    ssize_t n = recv(fd.get(), buffer, sizeof(buffer), 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return failed(ErrnoText(errno));
    if (n == 0) break;
    answer.append(buffer, static_cast<size_t>(n));
    if (answer.size() > limit) return failed("answered more than was asked for");
  }
  size_t body = answer.find("\r\n\r\n");
  if (!absl::StartsWith(answer, "HTTP/1.") || body == std::string::npos || answer.size() < 12) {
    return failed("is no HTTP server");
  }
  absl::string_view status = absl::string_view(answer).substr(9, 3);
  if (status != "200") return failed(absl::StrCat("answered ", status));
  return answer.substr(body + 4);
}

}  // namespace vgpu::host
