// A question's server-sent events, as they come. fetch, because EventSource cannot POST.

export class Problem extends Error {}

export async function* ask(address, body, signal) {
  const response = await fetch(address, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal,
  });
  if (!response.ok) throw new Problem(await reason(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const lines of events) {
      const event = /^event: (.*)$/m.exec(lines)?.[1];
      const data = [...lines.matchAll(/^data: (.*)$/gm)].map((line) => line[1]).join("\n");
      if (event) yield { event, data: JSON.parse(data) };
    }
  }
}

async function reason(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.errors?.[0]?.message ?? problem.detail ?? `The server answered ${response.status}.`;
}
