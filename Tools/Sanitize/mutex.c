// Tells the thread sanitizer of Swift's Mutex. Its fast path is compiled into the program and seen;
// when threads contend, the rest runs in libswiftSynchronization.so, which is not instrumented, and
// every contended lock would look like none. Preloaded, these stand before the library's functions.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

typedef SWIFT void (*lock_function)(uint32_t thread, SELF void *mutex);
typedef SWIFT void (*unlock_function)(SELF void *mutex);
typedef SWIFT bool (*try_function)(SELF void *mutex);

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK);
SWIFT bool try_lock_slow(SELF void *mutex) __asm__(TRY_LOCK);

static lock_function real_lock;
static unlock_function real_unlock;
static try_function real_try;

__attribute__((constructor)) static void find(void) {
  real_lock = (lock_function)dlsym(RTLD_NEXT, LOCK);
  real_unlock = (unlock_function)dlsym(RTLD_NEXT, UNLOCK);
  real_try = (try_function)dlsym(RTLD_NEXT, TRY_LOCK);
}

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
  real_lock(thread, mutex);
  if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex) {
  if (__tsan_release) __tsan_release(mutex);
  real_unlock(mutex);
}

SWIFT bool try_lock_slow(SELF void *mutex) {
  bool is_locked = real_try(mutex);
  if (is_locked && __tsan_acquire) __tsan_acquire(mutex);
  return is_locked;
}
