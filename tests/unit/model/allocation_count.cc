#include "tests/unit/model/allocation_count.h"

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<bool> counting{false};
std::atomic<int64_t> onednn{0};
std::atomic<int64_t> others{0};

bool InOneDnn(const void* code) {
  Dl_info info;
  return dladdr(code, &info) != 0 && std::strstr(info.dli_fname, "libdnnl") != nullptr;
}

void Count(const void* caller) {
  if (!counting.load(std::memory_order_relaxed)) return;
  (InOneDnn(caller) ? onednn : others).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_realloc(void* old, size_t size);
extern "C" void* __libc_memalign(size_t alignment, size_t size);

extern "C" void* malloc(size_t size) {
  Count(__builtin_return_address(0));
  return __libc_malloc(size);
}
extern "C" void* calloc(size_t count, size_t size) {
  Count(__builtin_return_address(0));
  return __libc_calloc(count, size);
}
extern "C" void* realloc(void* old, size_t size) {
  Count(__builtin_return_address(0));
  return __libc_realloc(old, size);
}
extern "C" void* aligned_alloc(size_t alignment, size_t size) {
  Count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
extern "C" int posix_memalign(void** result, size_t alignment, size_t size) {
  Count(__builtin_return_address(0));
  *result = __libc_memalign(alignment, size);
  return *result == nullptr ? ENOMEM : 0;
}

// Counted by their own caller, not as libstdc++'s call of malloc.
void* operator new(size_t size) {
  Count(__builtin_return_address(0));
  void* memory = __libc_malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t size, std::align_val_t alignment) {
  Count(__builtin_return_address(0));
  void* memory = __libc_memalign(static_cast<size_t>(alignment), size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace rondo {

void StartCountingAllocations() {
  onednn = others = 0;
  counting = true;
}

AllocationCount StopCountingAllocations() {
  counting = false;
  return {onednn, others};
}

}  // namespace rondo
