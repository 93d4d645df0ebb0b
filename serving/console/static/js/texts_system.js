/** The words of the System page. */

/** @type {any} */
export const systemTexts = {
  alerts: {
    title: "Alerts", lead: "What Prometheus alarms about now. A page gets somebody up; a ticket waits for the next working day.",
    name: "Alert", state: "State", severity: "Severity", since: "Since (UTC)", summary: "Summary", runbook: "Runbook",
    firing: "Firing", pending: "Pending", severities: { page: "Page", ticket: "Ticket" }, show: "What to do", open: "Open the runbook",
    none: "No alert is active", unwatched: "No Prometheus is connected",
    unwatchedHint: "The setting prometheus_url (STOCKSTREAM_PROMETHEUS_URL) tells the API where to ask.",
    grafana: "Open Grafana", prometheus: "Open Prometheus",
  },

  system: {
    title: "System", lead: "What runs, how fresh it is, and who changed what.",
    state: "State", clock: (/** @type {string} */ time) => `Event time has reached ${time} UTC.`, ready: "Ready", notReady: "Not ready",
    flow: "Flow", flowLead: "From stock and clicks to decisions, and back to the forecasts' scores.",
    steps: { stock: "Stock levels", features: "Features", forecasts: "Forecasts", positions: "Positions", proposals: "Proposals", decisions: "Decisions", accuracy: "Accuracy" },
    rate: (/** @type {string} */ n) => `${n} a second`, lag: (/** @type {string} */ n) => `${n} behind`,
    topics: "Topics", topicsLead: "As this API has read them.", topic: "Topic", records: "Records", perSecond: "A second", behind: "Behind", newest: "Newest event (UTC)", fresh: "Last record", none: "Nothing yet",
    models: "Models", modelsLead: "Which forecaster has served, and requests to train again.", model: "Model", byFallback: "By the fallback", since: "First origin", latest: "Newest origin", forecasts: "Forecasts", retrain: "Retrain",
    audit: "Changes", auditLead: "Every override, approval and policy with its author.", what: "What", noChanges: "Nobody has changed anything",
  },
};
