import { expect, test } from 'vitest';
import { actionsIn } from '../../../bench/costs/actions.ts';

const METRICS = `
# TYPE action counter
action{action_type="grpc_StartWorkflowExecution",namespace="default",operation="StartWorkflowExecution"} 7
action{action_type="command_ScheduleActivityTask",namespace="default",operation="RespondWorkflowTaskCompleted"} 5
action{action_type="grpc_RecordActivityTaskHeartbeat",namespace="default",operation="RecordActivityTaskHeartbeat"} 11
action{action_type="grpc_QueryWorkflow",namespace="default",operation="QueryWorkflow"} 13
action{action_type="grpc_StartWorkflowExecution",namespace="temporal_system",operation="StartWorkflowExecution"} 2
action_total{namespace="default"} 99
`;

test('actions are those of one namespace, without queries, and heartbeats are counted apart', () => {
  expect(actionsIn(METRICS, 'default')).toEqual({ heartbeats: 11, others: 12 });
});
