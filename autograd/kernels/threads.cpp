#include <autograd/error.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/threads.hpp>

#include <cblas.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

// Missing when another BLAS was linked on purpose.
extern "C" {
[[gnu::weak]] char* openblas_get_config(void);
[[gnu::weak]] char* openblas_get_corename(void);
[[gnu::weak]] void openblas_set_num_threads(int num_threads);
}

namespace unroll {
namespace {

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

/// How often an idle thread looks for work before it sleeps: for about 400 microseconds. To wake it
/// takes longer than most operations do.
constexpr int kIdleSpins = 15000;

/// How often a thread that waits for the others looks before it lets them have its processor.
constexpr int kWaitingSpins = 4000;

/// Threads that take parts of one job at a time. A part is claimed by counting up, so a thread that
/// the system does not run just now claims nothing and nobody waits for it.
class Pool {
 public:
  explicit Pool(int helpers) {
    for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { serve(); });
  }
  ~Pool() {
    stop_ = true;
    ticket_.fetch_add(kJob, std::memory_order_release);
    ticket_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run(int parts, void (*body)(const void*, int), const void* context) {
    body_ = body;
    context_ = context;
    completed_.store(0, std::memory_order_relaxed);
    const std::uint64_t job = (ticket_.load(std::memory_order_relaxed) / kJob + 1) * kJob +
                              static_cast<std::uint64_t>(parts) * kPart;
    ticket_.store(job, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) > 0) ticket_.notify_all();
    while (take_part()) {
    }
    for (int spins = 0; completed_.load(std::memory_order_acquire) < parts; ++spins)
      spins < kWaitingSpins ? relax() : std::this_thread::yield();
  }

 private:
  // The ticket: number of the job, number of its parts, number of parts claimed.
  static constexpr std::uint64_t kPart = std::uint64_t{1} << 16;
  static constexpr std::uint64_t kJob = std::uint64_t{1} << 32;

  bool take_part() {
    std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    while (ticket % kPart < ticket % kJob / kPart) {
      if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
      body_(context_, static_cast<int>(ticket % kPart));  // the job lasts until this part is done
      completed_.fetch_add(1, std::memory_order_release);
      return true;
    }
    return false;
  }

  void serve() {
    int idle = 0;
    while (!stop_.load(std::memory_order_relaxed)) {
      if (take_part()) {
        idle = 0;
      } else if (++idle < kIdleSpins) {
        relax();
      } else {
        sleep();
        idle = 0;
      }
    }
  }

  void sleep() {
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    const std::uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
    const bool nothing_to_do = ticket % kPart >= ticket % kJob / kPart;
    if (nothing_to_do && !stop_) ticket_.wait(ticket);
    sleeping_.fetch_sub(1, std::memory_order_seq_cst);
  }

  std::vector<std::thread> threads_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> ticket_ = 0;
  std::atomic<int> completed_ = 0;
  std::atomic<int> sleeping_ = 0;
  void (*body_)(const void*, int) = nullptr;
  const void* context_ = nullptr;
};

/// The one pool of the process. BLAS is kept to one thread: products are cut into parts here,
/// because two pools on the same cores take each other's time.
class Threads {
 public:
  Threads() : count_(static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))) {
    if (openblas_set_num_threads) openblas_set_num_threads(1);
  }

  int count() const { return count_.load(std::memory_order_relaxed); }

  void set(int count) {
    const std::scoped_lock lock(busy_);
    count_ = count;
    pool_.reset();
  }

  void run(int parts, void (*body)(const void*, int), const void* context) {
    const std::unique_lock lock(busy_, std::try_to_lock);
    if (!lock || count() == 1) {  // another thread of the program has the pool
      for (int part = 0; part < parts; ++part) body(context, part);
      return;
    }
    if (!pool_) pool_ = std::make_unique<Pool>(count() - 1);
    pool_->run(parts, body, context);
  }

 private:
  std::atomic<int> count_;
  std::mutex busy_;
  std::unique_ptr<Pool> pool_;
};

Threads& instance() {
  static Threads threads;
  return threads;
}

}  // namespace

int threads() { return instance().count(); }

void set_threads(int count) {
  if (count < 1)
    throw ArgumentError("set_threads: the number of threads must be at least 1, it is " +
                        std::to_string(count));
  instance().set(count);
}

std::string blas_description() {
  if (!openblas_get_config || !openblas_get_corename) return "a BLAS other than OpenBLAS";
  return std::string(openblas_get_config()) + ", kernels for " + openblas_get_corename();
}

void kernels::detail::run_parts(int parts, void (*body)(const void*, int), const void* context) {
  instance().run(parts, body, context);
}

int kernels::parts_for(double work) {
  // Below this, about 20 microseconds of arithmetic, handing over a part takes longer than doing
  // it.
  constexpr double kWorthwhile = 2e6;
  const int available = threads();  // asked first: it is what keeps BLAS to one thread
  return work < kWorthwhile ? 1 : available;
}

}  // namespace unroll
