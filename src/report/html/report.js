"use strict";
// The reading view. Everything shown is set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 20, NEAR = 2;
  const ROLES = ["agent", "customer", "system", "unknown"], ROLE_NAMES = ["坐席", "客户", "系统", "未知"];
  const list = document.getElementById("list"), count = document.getElementById("count"), more = document.getElementById("more");
  const rest = document.getElementById("rest");
  const controls = ["family", "severity", "agent", "article", "state", "search"].map((id) => document.getElementById(id));
  const [family, severity, agent, article, state, search] = controls;

  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const option = (select, value, label) => select.append(new Option(label, value));

  // Conversations arrive as arrays; see `write_data` in html.rs for the order.
  const conversations = data.conversations.map(([id, date, channel, score, verdict, source, rows, hits]) => ({
    id, date, channel, score, verdict, source,
    rows: rows.map(([role, by, time, text]) => ({ role, by, time, text })),
    hits: hits.map(([key, turn, turns, by, rule, level, fatal, start, end, cited, message, status]) => (
      { key, turn, turns, by, rule, level, fatal, start, end, cited, message, status })),
  }));
  const rules = data.rules.map(([id, title, of, advice]) => ({ id, title, family: of, advice }));
  const articles = data.articles.map(([label, liability, gist, text]) => ({ label, liability, gist, text }));

  const tallied = (each) => {
    const counts = new Map();
    for (const conversation of conversations) for (const hit of conversation.hits) for (const key of each(hit)) counts.set(key, (counts.get(key) || 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  };
  for (const [key, n] of tallied((hit) => [rules[hit.rule].family])) option(family, key, `${data.families[key]}（${n}）`);
  for (const [key, n] of tallied((hit) => [hit.level]).sort((a, b) => b[0] - a[0])) option(severity, key, `${data.severities[key]}（${n}）`);
  for (const [key, n] of tallied((hit) => [hit.by])) option(agent, key, `${data.agents[key] || "（未注明）"}（${n}）`);
  for (const [key, n] of tallied((hit) => new Set(data.citations[hit.cited]))) option(article, key, `${articles[key].label}（${n}）`);
  option(state, "fatal", "仅红线会话");
  if (data.compared) { option(state, "新增", "仅新增问题"); option(state, "持续", "仅持续问题"); }

  const haystack = (conversation) => conversation.haystack ??= [
    conversation.id, ...conversation.rows.map((row) => row.text),
    ...conversation.hits.map((hit) => `${hit.key} ${rules[hit.rule].id} ${rules[hit.rule].title} ${data.agents[hit.by]}`),
  ].join("\n").toLowerCase();

  let shown = [], drawn = 0, wanted = () => true;
  const select = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    wanted = (hit) =>
      (family.value === "" || rules[hit.rule].family === +family.value) &&
      (severity.value === "" || hit.level === +severity.value) &&
      (agent.value === "" || hit.by === +agent.value) &&
      (article.value === "" || data.citations[hit.cited].includes(+article.value)) &&
      (state.value === "" || (state.value === "fatal" ? hit.fatal : hit.status === state.value));
    shown = conversations.filter((conversation) =>
      conversation.hits.some(wanted) && words.every((word) => haystack(conversation).includes(word)));
    const hits = shown.reduce((sum, conversation) => sum + conversation.hits.filter(wanted).length, 0);
    count.textContent = shown.length ? `${shown.length} 个会话，${hits} 处命中` : "没有符合条件的会话";
    list.replaceChildren();
    drawn = 0;
    draw();
  };
  const draw = () => {
    const next = shown.slice(drawn, drawn + PAGE);
    drawn += next.length;
    list.append(...next.map(card));
    more.hidden = drawn >= shown.length;
    rest.textContent = more.hidden ? "" : `以上是前 ${drawn} 个会话，另有 ${shown.length - drawn} 个没有打印`;
    more.textContent = `再显示 ${Math.min(PAGE, shown.length - drawn)} 个（还有 ${shown.length - drawn} 个）`;
  };

  const card = (conversation) => {
    const node = make("article", "conversation");
    const head = make("header");
    head.append(make("b", "", conversation.id), make("span", "dim", [conversation.date, conversation.channel].filter(Boolean).join(" · ")));
    head.append(make("span", "dim", conversation.source));
    const score = make("span", "score");
    const kind = conversation.verdict === "红线" ? "fatal" : conversation.verdict === "合格" ? "pass" : "s1";
    score.append(make("span", `chip ${kind}`, conversation.verdict), ` ${conversation.score} 分`);
    head.append(score);
    const talk = make("div", "talk"), turns = make("div", "turns"), hits = make("div", "hits");
    fill(turns, conversation, false);
    hits.append(...conversation.hits.filter(wanted).map((hit) => finding(hit, conversation)));
    talk.append(turns, hits);
    node.append(head, talk);
    return node;
  };

  const fill = (turns, conversation, all) => {
    const touched = new Set(conversation.hits.flatMap((hit) => (hit.turn >= 0 ? [hit.turn] : hit.turns)));
    const near = (at) => { for (let d = -NEAR; d <= NEAR; d++) if (touched.has(at + d)) return true; return false; };
    turns.replaceChildren();
    let hidden = 0;
    const fold = () => {
      if (!hidden) return;
      const button = make("button", "fold", `展开 ${hidden} 轮`);
      button.type = "button";
      button.addEventListener("click", () => fill(turns, conversation, true));
      turns.append(button);
      hidden = 0;
    };
    conversation.rows.forEach((row, at) => {
      if (!all && !near(at)) { hidden += 1; return; }
      fold();
      turns.append(turn(row, at, conversation));
    });
    fold();
    if (!conversation.rows.length) turns.append(make("p", "empty", "没有会话原文。"));
  };

  const turn = (row, at, conversation) => {
    const evidence = conversation.hits.some((hit) => hit.turn < 0 && hit.turns.includes(at) && wanted(hit));
    const node = make("div", `turn ${ROLES[row.role]}${evidence ? " evidence" : ""}`);
    const name = row.role === 0 && row.by >= 0 ? data.agents[row.by] || "坐席" : ROLE_NAMES[row.role];
    if (row.role !== 2) node.append(make("div", "who", [at, name, row.time].filter((part) => part !== "").join(" · ")));
    const said = make("div", "said"), letters = Array.from(row.text);
    const spans = conversation.hits.filter((hit) => hit.turn === at && wanted(hit)).sort((a, b) => a.start - b.start);
    let from = 0;
    for (const hit of spans) {
      const start = Math.max(hit.start, from);
      if (hit.end <= start) continue;
      said.append(letters.slice(from, start).join(""));
      const mark = make("mark", `s${hit.level}`, letters.slice(start, hit.end).join(""));
      mark.title = rules[hit.rule].title;
      said.append(mark);
      from = hit.end;
    }
    said.append(letters.slice(from).join(""));
    node.append(said);
    return node;
  };

  const finding = (hit, conversation) => {
    const rule = rules[hit.rule], node = make("div", `hit s${hit.level}`), head = make("div", "head");
    head.append(make("span", `chip s${hit.level}`, data.severities[hit.level]));
    if (hit.fatal) head.append(make("span", "chip fatal", "红线"));
    if (hit.status) head.append(make("span", "chip", hit.status));
    head.append(make("b", "", data.families[rule.family]), make("code", "", rule.id));
    const where = hit.turn >= 0 ? `第 ${hit.turn} 轮` : `第 ${hit.turns.join("、")} 轮`;
    head.append(make("span", "dim", [where, data.agents[hit.by], hit.key].filter(Boolean).join(" · ")));
    node.append(head, make("p", "", data.messages[hit.message]));
    const cited = data.citations[hit.cited];
    if (cited.length) {
      const box = make("details");
      box.append(make("summary", "", `涉嫌违反：${articles[cited[0]].label}${cited.length > 1 ? ` 等 ${cited.length} 条` : ""}`));
      for (const at of cited) {
        const { label, liability, gist, text } = articles[at];
        box.append(make("blockquote", "", `${label}${liability ? `（${liability}）` : ""}\n${gist}${text ? `\n原文：${text}` : ""}`));
      }
      node.append(box);
    }
    if (rule.advice) node.append(make("p", "advice", `建议：${rule.advice}`));
    return node;
  };

  // The filters stand in the address, so that a view can be kept as a bookmark.
  const save = () => {
    const kept = controls.filter((control) => control.value !== "").map((control) => [control.id, control.value]);
    const hash = kept.length ? `#${new URLSearchParams(kept)}` : "#read";
    try { history.replaceState(null, "", hash); } catch { /* a page opened from a mail has no address of its own */ }
  };
  const load = () => {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const control of controls) control.value = kept.get(control.id) ?? "";
    for (const control of controls) if (control.selectedIndex < 0) control.value = "";
  };
  let timer = 0;
  for (const control of controls) {
    control.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => { select(); save(); }, control === search ? 150 : 0);
    });
  }
  document.getElementById("reset").addEventListener("click", () => {
    for (const control of controls) control.value = "";
    select();
    save();
  });
  more.addEventListener("click", draw);
  addEventListener("hashchange", () => { if (location.hash.includes("=")) { load(); select(); } });
  load();
  select();
})();
