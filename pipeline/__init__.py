"""From the exports of a CRM to a trained, tracked and registered scorecard."""
