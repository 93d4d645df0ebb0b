// A classic script, so that a chosen theme is there before the first paint.
{
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}
