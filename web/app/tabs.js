// The two modes as tabs: arrow keys move between them, the address remembers which one it was.

/** Calls `onSelect(mode)` for the mode that is shown at first and for each one chosen later. */
export function setUpTabs(list, onSelect) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const mode = (tab) => tab.id.replace("tab-", "");

  const select = (chosen) => {
    for (const tab of tabs) {
      const selected = tab === chosen;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !selected;
    }
    onSelect(mode(chosen));
  };

  const choose = (tab) => {
    history.replaceState(null, "", `#${mode(tab)}`);
    select(tab);
  };

  for (const tab of tabs) tab.addEventListener("click", () => choose(tab));
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const moves = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 };
    if (at < 0 || !(event.key in moves)) return;
    event.preventDefault();
    const next = tabs[(moves[event.key] + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
  const named = () => tabs.find((tab) => `#${mode(tab)}` === location.hash);
  addEventListener("hashchange", () => select(named() ?? tabs[0]));
  select(named() ?? tabs[0]);
}
