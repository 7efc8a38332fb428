// Runs before anything is painted, so that no page flashes in the wrong colours or direction.
(() => {
  let theme = null,
    language = null;
  try {
    theme = localStorage.getItem('portico.theme');
    language = localStorage.getItem('portico.language');
  } catch {
    // A browser may forbid to keep anything; then the system's choice holds.
  }

  const known = ['en', 'ru', 'fa', 'zh'];
  if (!known.includes(language)) {
    const wanted = (navigator.languages ?? []).map(tag => tag.toLowerCase().split('-')[0]);
    language = wanted.find(tag => known.includes(tag)) ?? 'en';
  }

  const root = document.documentElement;
  root.lang = language;
  root.dir = language === 'fa' ? 'rtl' : 'ltr';
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
})();
