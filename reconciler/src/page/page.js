// Brings the page up to date: upon each event of the server, and every few seconds in any case, so that a server that
// is gone without a word is noticed. While nobody sees it, it asks nothing.
'use strict';
{
  const PERIOD = 5000, PATIENCE = 6000;
  const byId = (id) => document.getElementById(id);
  // By the clock of the server, as all that the page tells.
  const timeIn = (page) => page.querySelector('#live time').textContent;
  // What a person can do about an answer that is no page.
  const REFUSALS = {
    401: 'the server asks for another token (401); reload the page',
    403: 'the server refuses this page (403)',
    503: 'the server cannot answer now (503)',
  };
  let heard = Date.now(), time = timeIn(document), isBusy = false, isAsked = false, refusal = '', events;

  // Makes `old` equal to `next`, and leaves what is equal alone: the focus, a selection, and what a screen reader has read.
  const update = (old, next) => {
    if (old.nodeName !== next.nodeName) return old.replaceWith(next);
    if (old.nodeType === Node.TEXT_NODE) {
      if (old.data !== next.data) old.data = next.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const [olds, nexts] = [[...old.childNodes], [...next.childNodes]];
    olds.slice(nexts.length).forEach((node) => node.remove());
    nexts.forEach((node, at) => (at < olds.length ? update(olds[at], node) : old.append(node)));
  };

  const show = (isLive) => {
    const [state, reason] = document.hidden ? ['Paused', 'nobody looks at it']
      : refusal ? ['Not live', refusal] : ['No answer', `no answer since ${time}`];
    const text = isLive ? '' : `This page is not live: ${reason}. It shows what was known at ${time}.`;
    document.documentElement.classList.toggle('lost', !isLive);
    byId('live').textContent = isLive ? `Live, ${time}` : state;
    // A screen reader says it once.
    if (byId('lost').textContent !== text) byId('lost').textContent = text;
    byId('lost').hidden = isLive;
    if (!isLive) document.title = `${state} · hfi`;
  };

  const look = async () => {
    if (document.hidden) return;
    if (isBusy) return void (isAsked = true);
    [isBusy, isAsked] = [true, false];
    let refused = '';
    try {
      const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) {
        refused = REFUSALS[answer.status] ?? `the server answers ${answer.status}`;
        throw new Error(refused);
      }
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!next.getElementById('main')) {
        refused = 'something else answers, such as a form to log in; reload the page';
        throw new Error(refused);
      }
      update(byId('main'), next.getElementById('main'));
      document.title = next.title;
      [heard, time, refusal] = [Date.now(), timeIn(next), ''];
      show(!document.hidden);
    } catch {
      refusal = refused;
      show(false);
    }
    isBusy = false;
    if (isAsked) look();
  };

  const listen = () => {
    events?.close();
    if (document.hidden) return show(false);
    const stream = events = new EventSource('/v1/events?overview=changed');
    stream.addEventListener('overview', look);
    stream.onerror = () => {
      look();
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, PERIOD);
    };
    look();
  };

  byId('stop').addEventListener('click', (event) => {
    event.preventDefault();
    byId('halt').showModal();
  });
  setInterval(look, PERIOD);
  // After a sleep of the machine nothing is shown as if it were so now.
  setInterval(() => Date.now() - heard > PERIOD + PATIENCE && show(false), 1000);
  document.addEventListener('visibilitychange', listen);
  listen();
}
