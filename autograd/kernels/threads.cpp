#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/threads.hpp>
#include <autograd/tensor/error.hpp>

#include <cblas.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
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

/// Parts that a job may have, and so threads that it may use.
constexpr int kMostParts = 65535;
constexpr int kMostThreads = 4096;

/// True on a thread that runs parts of a job: those of a job inside it run there one by one.
constinit thread_local bool inside_job = false;

class InsideJob {
 public:
  InsideJob() { inside_job = true; }
  ~InsideJob() { inside_job = false; }
  InsideJob(const InsideJob&) = delete;
  InsideJob& operator=(const InsideJob&) = delete;
};

/// Threads that take parts of one job at a time. A part is claimed by counting up, so a thread that
/// the system does not run just now claims nothing and nobody waits for it.
class Pool {
 public:
  /// Goes on with those that the system lets it start: the caller takes the parts of the others.
  explicit Pool(int helpers) {
    threads_.reserve(static_cast<std::size_t>(helpers));
    try {
      for (int i = 0; i < helpers; ++i) threads_.emplace_back([this] { serve(); });
    } catch (const std::system_error&) {
      return;
    }
  }
  ~Pool() {
    stop_ = true;
    ticket_.fetch_add(kJob, std::memory_order_release);
    ticket_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Throws what the first part to fail has thrown, once all parts have ended.
  void run(int parts, void (*body)(const void*, int), const void* context) {
    body_ = body;
    context_ = context;
    failed_.store(false, std::memory_order_relaxed);
    completed_.store(0, std::memory_order_relaxed);
    const std::uint64_t job = (ticket_.load(std::memory_order_relaxed) / kJob + 1) * kJob +
                              static_cast<std::uint64_t>(parts) * kPart;
    ticket_.store(job, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) > 0) ticket_.notify_all();
    while (take_part()) {
    }
    for (int spins = 0; completed_.load(std::memory_order_acquire) < parts; ++spins)
      spins < kWaitingSpins ? relax() : std::this_thread::yield();
    if (failed_.load(std::memory_order_relaxed))
      std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  // The ticket: number of the job, number of its parts, number of parts claimed.
  static constexpr std::uint64_t kPart = std::uint64_t{1} << 16;
  static constexpr std::uint64_t kJob = std::uint64_t{1} << 32;

  bool take_part() {
    std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    while (ticket % kPart < ticket % kJob / kPart) {
      if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
      try {
        body_(context_, static_cast<int>(ticket % kPart));  // the job lasts until this part is done
      } catch (...) {
        if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
      }
      completed_.fetch_add(1, std::memory_order_release);
      return true;
    }
    return false;
  }

  void serve() {
    inside_job = true;
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
  std::atomic<bool> failed_ = false;
  std::exception_ptr error_;  // written before its part counts as completed
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
    if (inside_job)
      throw ArgumentError(
          "set_threads: an operation is running on this thread, and its parts cannot be cut anew; "
          "call it between operations");
    const std::scoped_lock lock(busy_);
    count_ = count;
    pool_.reset();
  }

  void run(int parts, void (*body)(const void*, int), const void* context) {
    const auto run_alone = [&] {
      for (int part = 0; part < parts; ++part) body(context, part);
    };
    if (inside_job || parts > kMostParts) return run_alone();
    const std::unique_lock lock(busy_, std::try_to_lock);
    const InsideJob inside;
    if (!lock || count() == 1) return run_alone();  // another thread of the program has the pool
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
  if (count < 1 || count > kMostThreads)
    throw ArgumentError("set_threads: the number of threads must be at least 1 and at most " +
                        std::to_string(kMostThreads) + ", it is " + std::to_string(count));
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
