#include "tools/vgpu_doctor/watch/process_events.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace vgpu::doctor {
namespace {

constexpr int kAnswerMilliseconds = 200;
constexpr int kReceiveBuffer = 4 << 20;
constexpr size_t kMaxEvents = 65536;

absl::Status Unavailable(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", host::ErrnoText(error)));
}

// The event in one datagram. The parts are copied, for their alignment.
std::optional<proc_event> EventIn(const char* data, size_t size) {
  nlmsghdr header = {};
  cn_msg message = {};
  if (size < NLMSG_HDRLEN + sizeof message) return std::nullopt;
  memcpy(&header, data, sizeof header);
  memcpy(&message, data + NLMSG_HDRLEN, sizeof message);
  if (header.nlmsg_type == NLMSG_ERROR || message.id.idx != CN_IDX_PROC) return std::nullopt;
  proc_event event = {};
  const size_t begin = NLMSG_HDRLEN + sizeof message;
  // An older kernel's event is shorter.
  memcpy(&event, data + begin, std::min(sizeof event, size - begin));
  return event;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessEvents>> ProcessEvents::Open() {
  host::Fd fd(socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!fd.ok()) return Unavailable("the process connector", errno);
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return Unavailable("the process connector", errno);
  }
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);

  const proc_cn_mcast_op listen = PROC_CN_MCAST_LISTEN;
  char request[NLMSG_SPACE(sizeof(cn_msg) + sizeof listen)] = {};
  nlmsghdr header = {};
  header.nlmsg_len = NLMSG_LENGTH(sizeof(cn_msg) + sizeof listen);
  header.nlmsg_type = NLMSG_DONE;
  header.nlmsg_pid = static_cast<__u32>(getpid());
  cn_msg message = {};
  message.id.idx = CN_IDX_PROC;
  message.id.val = CN_VAL_PROC;
  message.len = sizeof listen;
  memcpy(request, &header, sizeof header);
  memcpy(request + NLMSG_HDRLEN, &message, sizeof message);
  memcpy(request + NLMSG_HDRLEN + sizeof message, &listen, sizeof listen);
  if (send(fd.get(), request, header.nlmsg_len, 0) < 0) {
    return Unavailable("the process connector", errno);
  }
  // The kernel acknowledges with an event of no kind that holds an error number; where it does
  // not know us (another namespace, no such feature), nothing comes.
  pollfd answer = {fd.get(), POLLIN, 0};
  while (poll(&answer, 1, kAnswerMilliseconds) > 0) {
    char buffer[4096];
    const ssize_t size = recv(fd.get(), buffer, sizeof buffer, 0);
    if (size < 0) return Unavailable("the process connector", errno);
    const std::optional<proc_event> event = EventIn(buffer, static_cast<size_t>(size));
    if (!event) continue;
    if (event->what == proc_event::PROC_EVENT_NONE && event->event_data.ack.err != 0) {
      return Unavailable("the process connector", static_cast<int>(event->event_data.ack.err));
    }
    return std::unique_ptr<ProcessEvents>(new ProcessEvents(std::move(fd)));
  }
  return absl::UnavailableError("the process connector: the kernel does not answer");
}

std::vector<ProcessEvent> ProcessEvents::Take(bool& lost) {
  std::vector<ProcessEvent> events;
  while (events.size() < kMaxEvents) {
    char buffer[4096];
    const ssize_t size = recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0 && errno == ENOBUFS) {
      lost = true;
      continue;
    }
    if (size <= 0) break;
    const std::optional<proc_event> event = EventIn(buffer, static_cast<size_t>(size));
    if (!event) continue;
    const auto& data = event->event_data;
    if (event->what == proc_event::PROC_EVENT_FORK && data.fork.child_pid == data.fork.child_tgid) {
      events.push_back({ProcessEvent::Kind::kFork, data.fork.child_tgid, data.fork.parent_tgid, 0});
    } else if (event->what == proc_event::PROC_EVENT_EXEC) {
      events.push_back({ProcessEvent::Kind::kExec, data.exec.process_tgid, 0, 0});
    } else if (event->what == proc_event::PROC_EVENT_EXIT &&
               data.exit.process_pid == data.exit.process_tgid) {
      events.push_back({ProcessEvent::Kind::kExit, data.exit.process_tgid, 0,
                        static_cast<int>(data.exit.exit_code)});
    }
  }
  return events;
}

}  // namespace vgpu::doctor
