/* Stands in for Ollama where its own program cannot be had (its Go toolchain is newer than
 * Debian's): it starts as the server does, and answers its discovery's questions as Ollama
 * 0.13.5 (era B) and 0.33.0 (era C) do, through a backend that asks the CUDA runtime.
 *
 *   ollama serve                            the lines of a start, then waits
 *   ollama runner --ollama-engine --port N  GET /info (ml.DeviceInfo of v0.13.5)
 *   ollama gpu-discover --lib-dir D ...     nativeProbeResult of v0.33.0
 *   llama-server --list-devices ...         "  CUDA0: NAME (T MiB, F MiB free)"
 *   llama-server --port N ...               what it was compiled for: $STAND_IN_ARCHS
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct device {
  char name[256], uuid[64], pci[32];
  unsigned long long total;
  int major, minor;
};

/* Of the backend: how many devices, and each. */
typedef int (*devices_fn)(struct device* to, int room);

static int find_devices(const char* backend, struct device* to, int room) {
  void* handle = dlopen(backend, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return 0; /* era B is silent about it */
  devices_fn devices = (devices_fn)dlsym(handle, "stand_in_devices");
  return devices == NULL ? 0 : devices(to, room);
}

/* The last directory of a list, and the backend in it. */
static void backend_of(const char* list, char* path, size_t size) {
  const char* last = strrchr(list, ':');
  snprintf(path, size, "%s/libggml-cuda.so", last == NULL ? list : last + 1);
}

static int runner(int port) {
  const char* list = getenv("OLLAMA_LIBRARY_PATH");
  char path[4096], body[8192] = "[", request[4096];
  struct device devices[16];
  backend_of(list == NULL ? "" : list, path, sizeof(path));
  const int count = find_devices(path, devices, 16);
  for (int i = 0; i < count; ++i) {
    char one[1024];
    snprintf(one, sizeof(one),
             "%s{\"id\":\"%s\",\"backend\":\"CUDA\",\"name\":\"CUDA%d\",\"description\":\"%s\","
             "\"pci_id\":\"%s\",\"total_memory\":%llu,\"ComputeMajor\":%d,\"ComputeMinor\":%d}",
             i == 0 ? "" : ",", devices[i].uuid, i, devices[i].name, devices[i].pci,
             devices[i].total, devices[i].major, devices[i].minor);
    strcat(body, one);
  }
  strcat(body, "]");
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listening, (struct sockaddr*)&address, sizeof(address)) != 0) return 1;
  if (listen(listening, 4) != 0) return 1;
  for (;;) {
    const int client = accept(listening, NULL, NULL);
    if (client < 0) continue;
    (void)!read(client, request, sizeof(request));
    dprintf(client, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n%s", body);
    close(client);
  }
}

static int list_devices(void) {
  const char* backend = getenv("GGML_BACKEND_PATH");
  struct device devices[16];
  const int count = find_devices(backend == NULL ? "" : backend, devices, 16);
  for (int i = 0; i < count; ++i) {
    fprintf(stderr, "  Device %d: %s, compute capability %d.%d, VMM: yes\n", i, devices[i].name,
            devices[i].major, devices[i].minor);
  }
  printf("Available devices:\n");
  for (int i = 0; i < count; ++i) {
    const unsigned long long mib = devices[i].total >> 20;
    printf("  CUDA%d: %s (%llu MiB, %llu MiB free)\n", i, devices[i].name, mib, mib);
  }
  return 0;
}

static int tell_archs(void) {
  const char* archs = getenv("STAND_IN_ARCHS");
  fprintf(stderr, "system_info: n_threads = 1 | CUDA : ARCHS = %s | CPU : SSE3 = 1 | \n",
          archs == NULL ? "750,800,900" : archs);
  while (pause() == -1) continue;
  return 0;
}

static int gpu_discover(const char* directory) {
  char path[4096];
  struct device devices[16];
  backend_of(directory, path, sizeof(path));
  const int count = find_devices(path, devices, 16);
  printf("{\"devices\":[");
  for (int i = 0; i < count; ++i) {
    printf("%s{\"library\":\"CUDA\",\"index\":%d,\"index_matches_backend\":true,"
           "\"description\":\"%s\",\"device_id\":\"%s\",\"integrated_known\":true,"
           "\"total_memory\":%llu,\"compute_major\":%d,\"compute_minor\":%d}",
           i == 0 ? "" : ",", i, devices[i].name, devices[i].pci, devices[i].total,
           devices[i].major, devices[i].minor);
  }
  printf("]}\n");
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--list-devices") == 0) return list_devices();
  if (argc > 2 && strcmp(argv[1], "--port") == 0) return tell_archs();
  if (argc > 4 && strcmp(argv[1], "runner") == 0) return runner(atoi(argv[4]));
  if (argc > 5 && strcmp(argv[1], "gpu-discover") == 0) return gpu_discover(argv[5]);
  /* What a log that was rotated after discovery still has of a start. */
  const char* version = getenv("STAND_IN_VERSION");
  const time_t now = time(NULL);
  char stamp[64];
  strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S.999Z", gmtime(&now));
  fprintf(stderr,
          "time=%s level=INFO source=routes.go:1718 "
          "msg=\"Listening on 127.0.0.1:11434 (version %s)\"\n",
          stamp, version == NULL ? "0.13.5" : version);
  for (;;) pause();
}
