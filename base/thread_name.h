#ifndef RONDO_BASE_THREAD_NAME_H_
#define RONDO_BASE_THREAD_NAME_H_

#include <pthread.h>

namespace rondo {

// Gives the calling thread a name, of at most 15 bytes, that `top -H`, `perf` and debuggers show.
inline void NameThisThread(const char* name) { pthread_setname_np(pthread_self(), name); }

}  // namespace rondo

#endif  // RONDO_BASE_THREAD_NAME_H_
