// Asking again and again, but never while nobody looks, and never twice at a time.

/** Runs a task now and `pause` milliseconds after each end. Returns what stops it. */
export function poll(task, pause, begin = 0) {
  let timer = 0,
    isOver = false,
    isRunning = false,
    isWanted = false;

  const later = milliseconds => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };

  async function run() {
    if (isOver || isRunning) return;
    isWanted = document.hidden;
    if (isWanted) return;
    isRunning = true;
    try {
      await task();
    } finally {
      isRunning = false;
      if (!isOver) later(pause);
    }
  }

  const seen = () => {
    if (isWanted && !document.hidden) run();
  };
  document.addEventListener('visibilitychange', seen);
  if (begin > 0) later(begin);
  else run();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', seen);
  };
}
