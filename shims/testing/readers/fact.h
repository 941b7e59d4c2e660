// How the readers of the APIs say what they were told: a line "DEVICE<tab>KEY<tab>VALUE" each.
// DEVICE is the device's UUID, or "-" for the machine. The same key is the same fact, whoever
// says it; units are in its name.

#ifndef SHIMS_TESTING_READERS_FACT_H_
#define SHIMS_TESTING_READERS_FACT_H_

#include <stdarg.h>
#include <stdio.h>

static const char* fact_device = "-";

__attribute__((format(printf, 2, 3))) static inline void Fact(const char* key, const char* format,
                                                              ...) {
  va_list values;
  printf("%s\t%s\t", fact_device, key);
  va_start(values, format);
  vprintf(format, values);
  va_end(values);
  putchar('\n');
}

// The number of an attribute of the driver; the runtime's are the same (cuda.h and driver_types.h
// 12.8: cudaDevAttrMaxThreadsPerBlock is CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK).
static inline void AttributeFact(int number, long long value) {
  char key[32];
  snprintf(key, sizeof key, "attribute %d", number);
  Fact(key, "%lld", value);
}

// "GPU-" and the digits.
static inline const char* UuidText(const void* bytes, char text[64]) {
  const unsigned char* at = bytes;
  char* end = text + sprintf(text, "GPU-");
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *end++ = '-';
    end += sprintf(end, "%02x", at[i]);
  }
  return text;
}

#endif  // SHIMS_TESTING_READERS_FACT_H_
